import { expect, test } from 'vitest';
import { Solver } from '../../../server/miner/solver.js';
import { bytesFromBigint } from '../../../shared/bytes/bigEndian.js';
import { compareBytes } from '../../../shared/bytes/compare.js';
import { decodeHeader, encodeHeader, sealHeader } from '../../../shared/model/header.js';
import { present } from '../../kit/assertOk.js';
import { TestChain } from '../../kit/testChain.js';

const { header: genesis } = new TestChain().genesis;
const never = new AbortController().signal;
const puzzle = (target: bigint, timestamp = 0) => ({
  header: encodeHeader({ ...genesis, timestamp }),
  target: bytesFromBigint(target, 32),
});

test('threads find nonces that meet the target, one search after the other', async () => {
  const solver = new Solver(2);
  try {
    for (let timestamp = 0; timestamp < 5; timestamp++) {
      const { header, target } = puzzle(2n ** 246n, timestamp);
      const nonce = present(await solver.solve({ header, target }, never));
      const { hash } = sealHeader({ ...present(decodedHeader(header)), nonce });
      expect(compareBytes(Buffer.from(hash, 'hex'), target)).toBeLessThanOrEqual(0);
    }
  } finally {
    await solver.close();
  }
});

test('a search without an end is called off, and the threads are free for the next', async () => {
  const solver = new Solver(2);
  try {
    const stop = new AbortController();
    const endless = solver.solve(puzzle(0n), stop.signal);
    stop.abort();
    expect(await endless).toBeUndefined();
    expect(await solver.solve(puzzle(0n), AbortSignal.abort())).toBeUndefined();
    // A new search takes the place of the one before.
    const replaced = solver.solve(puzzle(0n), never);
    expect(await solver.solve(puzzle(2n ** 255n), never)).toBeTypeOf('bigint');
    expect(await replaced).toBeUndefined();
  } finally {
    await solver.close();
  }
});

function decodedHeader(bytes: Uint8Array) {
  const decoded = decodeHeader(bytes);
  return decoded.ok ? decoded.value : undefined;
}
