import { styleText } from 'node:util';
import { pino } from 'pino';
import { printable } from '../../shared/printable.js';
import type { LogFields, Logger } from '../ports.js';

/** How much is said, from least to most. */
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
/** How much a process says. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A log on standard error, for standard output belongs to what was asked for: lines for people at a terminal, JSON else. */
export function createLogger(name: string, level: LogLevel): Logger {
  return process.stderr.isTTY ? terminalLogger(level) : jsonLogger(name, level);
}

function jsonLogger(name: string, level: LogLevel): Logger {
  const log = pino({ name, level, base: { name } }, pino.destination({ dest: 2, sync: true }));
  return {
    debug: (message, fields = {}) => log.debug(fields, message),
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
  };
}

const COLOURS = { error: 'red', warn: 'yellow', info: 'green', debug: 'dim' } as const;

/** One short line each: time, level, message, and the figures in grey. */
function terminalLogger(level: LogLevel): Logger {
  const loudest = LOG_LEVELS.indexOf(level);
  const say = (at: keyof typeof COLOURS, message: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(at) > loudest) return;
    const time = new Date().toTimeString().slice(0, 8);
    const figures = Object.entries(fields).map(([key, value]) => `${key}=${printable(String(value))}`);
    const parts = [
      styleText('dim', time),
      styleText(COLOURS[at], at.padEnd(5)),
      message,
      styleText('dim', figures.join(' ')),
    ];
    process.stderr.write(`${parts.join('  ').trimEnd()}\n`);
  };
  return {
    debug: (message, fields) => say('debug', message, fields),
    info: (message, fields) => say('info', message, fields),
    warn: (message, fields) => say('warn', message, fields),
    error: (message, fields) => say('error', message, fields),
  };
}
