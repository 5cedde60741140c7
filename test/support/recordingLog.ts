import type { LogFields, Logger } from '../../server/ports.js';

/** A line that was logged. */
export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields;
}

/** A log that keeps what it is told. */
export function recordingLog(): Logger & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const say =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}): void =>
      void lines.push({ level, message, fields });
  return { lines, debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}
