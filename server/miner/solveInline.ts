import { hashAsNumber } from '../../shared/consensus/target.js';
import { type HeaderFields, sealHeader } from '../../shared/model/header.js';

/** Finds a nonce in this thread: for networks without difficulty, where a few tries are enough. */
export function solveInline(header: HeaderFields, target: bigint): { timestamp: number; nonce: bigint } {
  for (let nonce = 0n; ; nonce++) {
    if (hashAsNumber(sealHeader({ ...header, nonce }).hash) <= target) return { timestamp: header.timestamp, nonce };
  }
}
