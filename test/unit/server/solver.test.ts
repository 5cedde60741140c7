import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { type Puzzle, Solver, type SolverParts } from '../../../server/miner/solver.js';
import type { ThreadMemory } from '../../../server/miner/solveWorker.js';
import { systemClock } from '../../../server/system/clock.js';
import { bytesFromBigint } from '../../../shared/bytes/bigEndian.js';
import { compareBytes } from '../../../shared/bytes/compare.js';
import { decodeHeader, encodeHeader, sealHeader } from '../../../shared/model/header.js';
import { present } from '../../kit/assertOk.js';
import { TestChain } from '../../kit/testChain.js';
import { eventually } from '../../support/eventually.js';
import { recordingLog } from '../../support/recordingLog.js';

const { header: genesis } = new TestChain().genesis;
const EASY = 2n ** 246n;

const puzzle = (target: bigint, timestamp = 0) => ({
  header: encodeHeader({ ...genesis, timestamp }),
  target: bytesFromBigint(target, 32),
});

function solverOf(
  parts: Partial<SolverParts> = {},
): Solver & AsyncDisposable & { readonly log: ReturnType<typeof recordingLog> } {
  const log = recordingLog();
  const solver = new Solver({ threads: 2, clock: systemClock, log, ...parts });
  return Object.assign(solver, { log, [Symbol.asyncDispose]: () => solver.close() });
}

/** A thread that runs another program than it should. */
function thread(program: string, workerData: ThreadMemory): Worker {
  return new Worker(program, { eval: true, workerData });
}

const goodThread = (workerData: ThreadMemory): Worker =>
  new Worker(new URL('../../../server/miner/solveWorker.js', import.meta.url), { workerData });

async function solved(solver: Solver, { header, target }: Puzzle): Promise<void> {
  const result = await solver.solve({ header, target });
  if (result.kind !== 'found') throw new Error(result.kind);
  const decoded = decodeHeader(header);
  const { hash } = sealHeader({ ...present(decoded.ok ? decoded.value : undefined), nonce: result.nonce });
  expect(compareBytes(Buffer.from(hash, 'hex'), target)).toBeLessThanOrEqual(0);
}

test('threads find nonces that meet the target, one search after the other, and count what they try', async () => {
  await using solver = solverOf();
  for (let timestamp = 0; timestamp < 5; timestamp++) await solved(solver, puzzle(EASY, timestamp));
  expect(solver.tries).toBeGreaterThan(5n);
});

test('a search without an end is called off, and the threads are free for the next', async () => {
  await using solver = solverOf();
  const endless = solver.solve(puzzle(0n));
  solver.callOff();
  expect(await endless).toEqual({ kind: 'called-off' });
  // A new search takes the place of the one before.
  const replaced = solver.solve(puzzle(0n));
  await solved(solver, puzzle(2n ** 255n));
  expect(await replaced).toEqual({ kind: 'called-off' });
  expect(solver.isSearching).toBe(false);
});

test.each([1, 2, 3, 7])('%d threads try each nonce there is, and say so when none fits', async (threads) => {
  await using solver = solverOf({ threads });
  const end = 1_000n;
  expect(await solver.solve({ ...puzzle(0n), end })).toEqual({ kind: 'exhausted' });
  expect(solver.tries).toBe(end);
});

test('nonces are shared out: the one that fits is found whichever thread it falls to', async () => {
  const all = puzzle(EASY);
  await using one = solverOf({ threads: 1 });
  const first = await one.solve(all);
  if (first.kind !== 'found') throw new Error(first.kind);
  await using many = solverOf({ threads: 5 });
  expect(await many.solve({ ...all, end: first.nonce + 1n })).toEqual(first);
  expect(await many.solve({ ...all, end: first.nonce })).toEqual({ kind: 'exhausted' });
});

test('a thread that dies is replaced, and the search goes on', async () => {
  let started = 0;
  await using solver = solverOf({
    threads: 1,
    clock: { monotonic: () => 0, after: (_ms, action) => systemClock.after(0, action) },
    spawn: (memory) => (started++ < 2 ? thread('throw new Error("no memory")', memory) : goodThread(memory)),
  });
  await solved(solver, puzzle(EASY));
  expect(solver.replaced).toBe(2);
  expect(solver.log.lines.map(({ level, message }) => [level, message])).toEqual(
    Array(2).fill(['warn', 'a searching thread failed']),
  );
});

test('what a thread claims is hashed again before it counts, and a thread that was wrong is replaced', async () => {
  let started = 0;
  const liar = `const { parentPort } = require('node:worker_threads');
    parentPort.on('message', ({ search }) => parentPort.postMessage({ search, nonce: 12345n }));`;
  await using solver = solverOf({
    threads: 1,
    clock: { monotonic: () => 0, after: (_ms, action) => systemClock.after(0, action) },
    spawn: (memory) => (started++ < 1 ? thread(liar, memory) : goodThread(memory)),
  });
  await solved(solver, puzzle(EASY));
  expect(started).toBe(2);
  expect(solver.log.lines).toMatchObject([{ level: 'warn', fields: { nonce: '12345' } }]);
});

test.each(['null', '7', '"found"', '{}', '{ search: "1", nonce: 1n }', '{ search: 2 ** 31, nonce: null }'])(
  'nonsense from a thread, %s, changes nothing',
  async (nonsense) => {
    const noisy = `const { parentPort } = require('node:worker_threads');
      parentPort.on('message', () => { parentPort.postMessage(${nonsense}); parentPort.postMessage('end'); });`;
    let isFirst = true;
    await using solver = solverOf({
      spawn: (memory) => {
        const isNoisy = isFirst;
        isFirst = false;
        return isNoisy ? thread(noisy, memory) : goodThread(memory);
      },
    });
    await solved(solver, puzzle(EASY));
  },
);

test('a thread that takes the place of another goes on where that one was', async () => {
  const end = 100_000n;
  const workers: Worker[] = [];
  await using solver = solverOf({
    threads: 1,
    clock: { monotonic: () => 0, after: (_ms, action) => systemClock.after(0, action) },
    spawn: (memory) => {
      const worker = goodThread(memory);
      workers.push(worker);
      return worker;
    },
  });
  const search = solver.solve({ ...puzzle(0n), end });
  await eventually('some tries', async () => solver.tries > 5_000n);
  await present(workers[0]).terminate();
  expect(await search).toEqual({ kind: 'exhausted' });
  expect([workers.length, solver.tries]).toEqual([2, end]);
});
