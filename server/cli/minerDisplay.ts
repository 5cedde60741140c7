import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import { printable } from '../../shared/printable.js';
import type { MinerView } from '../miner/minerView.js';
import type { LogFields, Logger } from '../ports.js';
import { createLogger, LOG_LEVELS, type LogLevel } from '../system/logger.js';
import { minerPicture } from './minerPicture.js';

const REFRESH_MS = 500;
/** How often a miner says how it does where nobody sees the picture, in milliseconds. */
const REPORT_MS = 60_000;
/** News that are kept for the picture. */
const MAX_NEWS = 50;
/** The size of a terminal that does not tell its own. */
const USUAL = { columns: 80, rows: 24 } as const;

/** Where a miner says how it does. */
export interface MinerDisplay {
  readonly log: Logger;
  readonly isLive: boolean;
  show(view: () => MinerView): void;
  /** Shows the last of it, and nothing more. */
  stop(): void;
}

/** What a display is for. */
export interface MinerDisplayOptions {
  readonly name: string;
  readonly logLevel: LogLevel;
  readonly json: boolean;
}

/** A picture that is drawn again twice a second where people see it; else a line a minute in the log. */
export function minerDisplay(options: MinerDisplayOptions): MinerDisplay {
  const isTerminal = process.stdout.isTTY && process.env['TERM'] !== 'dumb';
  return isTerminal && !options.json ? liveDisplay(options) : loggedDisplay(options);
}

function loggedDisplay({ name, logLevel }: MinerDisplayOptions): MinerDisplay {
  const log = createLogger(name, logLevel);
  let timer: NodeJS.Timeout | undefined;
  return {
    log,
    isLive: false,
    show(view) {
      timer = setInterval(() => log.info('mining', figures(view())), REPORT_MS);
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
}

function liveDisplay({ name, logLevel }: MinerDisplayOptions): MinerDisplay {
  const draw = createLogUpdate(process.stdout);
  // A log that goes into a file is kept as well; on the terminal it would be written across the picture.
  const file = process.stderr.isTTY ? undefined : createLogger(name, logLevel);
  const news: string[] = [];
  let redraw = (): void => {};
  let timer: NodeJS.Timeout | undefined;
  const say = (level: keyof Logger, message: string, fields: LogFields = {}): void => {
    file?.[level](message, fields);
    if (LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(logLevel)) return;
    const time = new Date().toTimeString().slice(0, 8);
    const details = Object.entries(fields).map(([key, value]) => `${key} ${short(value)}`);
    const line = [time, message, details.join(', ')].join('  ').trimEnd();
    news.push(level === 'warn' || level === 'error' ? styleText('yellow', line) : line);
    if (news.length > MAX_NEWS) news.shift();
    redraw();
  };
  return {
    log: {
      debug: (message, fields) => say('debug', message, fields),
      info: (message, fields) => say('info', message, fields),
      warn: (message, fields) => say('warn', message, fields),
      error: (message, fields) => say('error', message, fields),
    },
    isLive: true,
    show(view) {
      redraw = () => {
        const { columns = USUAL.columns, rows = USUAL.rows } = process.stdout;
        draw(minerPicture({ name, view: view(), news }, { columns, rows }));
      };
      redraw();
      timer = setInterval(redraw, REFRESH_MS);
      timer.unref();
    },
    stop() {
      clearInterval(timer);
      redraw();
      redraw = () => {};
      draw.done();
    },
  };
}

/** Hashes are known by their first digits. */
function short(value: unknown): string {
  const text = printable(String(value));
  return /^[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 16)}…` : text;
}

function figures({ hashRate, height, node, found, accepted, side, refused, lost }: MinerView): LogFields {
  return { hashRate: Math.round(hashRate), height, node, found, accepted, side, refused, lost };
}
