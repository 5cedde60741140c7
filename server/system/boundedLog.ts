import type { Clock, LogFields, Logger } from '../ports.js';

/** Lines of one message that are written in a minute. What is a bug's doing or an attacker's is told by the first few. */
export const LINES_A_MINUTE = 100;
const MINUTE_MS = 60_000;
/** Messages that are counted apart; they are texts of our own, so there are not many. */
const MAX_MESSAGES = 500;

interface Written {
  since: number;
  lines: number;
  /** How many were left out since then. */
  left: number;
}

/**
 * A log that a flood cannot fill a disk with (CVE-2025-54605: invalid blocks without end made Bitcoin Core write without
 * end). Of each message so many lines pass in a minute; the next one after that minute says how many were left out.
 */
export function boundedLog(log: Logger, clock: Pick<Clock, 'monotonic'>): Logger {
  const messages = new Map<string, Written>();
  const say =
    (level: keyof Logger) =>
    (message: string, fields?: LogFields): void => {
      const now = clock.monotonic();
      const written = messages.get(message);
      if (written !== undefined && now - written.since < MINUTE_MS) {
        written.lines += 1;
        if (written.lines <= LINES_A_MINUTE) log[level](message, fields);
        else written.left += 1;
        return;
      }
      messages.delete(message);
      messages.set(message, { since: now, lines: 1, left: 0 });
      for (const oldest of messages.keys()) {
        if (messages.size <= MAX_MESSAGES) break;
        messages.delete(oldest);
      }
      const left = written?.left ?? 0;
      log[level](message, left === 0 ? fields : { ...fields, leftOutBefore: left });
    };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}
