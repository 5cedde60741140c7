import type { SignatureCheck } from '../shared/consensus/checkInputs.js';
import type { TxReject } from '../shared/consensus/reject.js';
import type { Verdict } from '../shared/verdict.js';

/** Cancels a timer. */
export type Cancel = () => void;

/** Time, and the only source of timers in the server. */
export interface Clock {
  /** Milliseconds since 1970: what timestamps are held against. It may jump. */
  now(): number;
  /** Milliseconds since some moment, never going back: what durations are measured with. */
  monotonic(): number;
  /** Runs `action` once, after so many milliseconds. */
  after(ms: number, action: () => void): Cancel;
  /** Lets whatever else is waiting run first: long work calls it now and then. */
  yield(): Promise<void>;
}

/** Randomness fit for tokens and nonces. */
export interface Random {
  bytes(length: number): Uint8Array;
  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number;
}

/** What a log line carries beside its message. Never a secret. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where the node says what it does. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** How the process itself does, for whoever asks after its health. */
export interface Vitals {
  /** The 99th percentile of the event loop's delays since the last reset, in milliseconds. */
  loopDelayP99Ms(): number;
  /** Gathers delays afresh from here on. */
  reset(): void;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
  close(): void;
}

/** Checks the signatures of many transactions at once, wherever that is done. */
export interface Signatures {
  /** The engine's name, for the log and `node.self`. */
  readonly engine: string;
  /** One verdict for each check, in order. */
  check(checks: readonly SignatureCheck[]): Promise<readonly Verdict<void, TxReject>[]>;
}
