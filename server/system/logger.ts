import { pino } from 'pino';
import type { Logger } from '../ports.js';

/** How much is said, from least to most. */
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines on standard error: standard output belongs to what was asked for. */
export function createLogger(name: string, level: LogLevel): Logger {
  const log = pino({ name, level, base: { name } }, pino.destination({ dest: 2, sync: true }));
  return {
    debug: (message, fields = {}) => log.debug(fields, message),
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
  };
}
