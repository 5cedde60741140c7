import { MAX_BLOCK_BYTES, MAX_TRANSACTION_BYTES } from '../consensus/params.js';

/** How long a node may take for one request. */
export const TIME_LIMIT_MS = 5_000;
/** Calls in one HTTP request. */
export const MAX_BATCH = 20;
/** Room for names, numbers and lists of ids around or beside the bytes a call carries. */
const ENVELOPE_BYTES = 100_000;

/** The most bytes a request's body may have: what its largest call can need, as base64. */
export function bodyLimit(path: string): number {
  const calls = path.split(',');
  const carries = calls.includes('block.submit') ? MAX_BLOCK_BYTES : MAX_TRANSACTION_BYTES;
  return Math.ceil(carries / 3) * 4 + ENVELOPE_BYTES;
}
