import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { VerifiedSet } from '../server/chain/verifiedSet.js';
import { Mempool } from '../server/mempool/mempool.js';
import type { Signatures } from '../server/ports.js';
import { lmdbKv } from '../server/store/lmdbKv.js';
import { systemClock } from '../server/system/clock.js';
import { toAmount } from '../shared/model/amount.js';
import {
  sealTransaction,
  TRANSACTION_VERSION,
  type Transaction,
  type TransferBody,
} from '../shared/model/transaction.js';
import { accept } from '../shared/verdict.js';
import { assertOk, present } from '../test/kit/assertOk.js';
import { type Spendable, testKey, transfer } from '../test/kit/builders.js';
import { Dice } from '../test/kit/sim/dice.js';
import { silentLog } from '../test/kit/sim/silentLog.js';
import { TestChain } from '../test/kit/testChain.js';
import { memoryChain } from '../test/support/memoryChain.js';
import { temporaryDirectory } from '../test/support/temporary.js';
import { plot } from './plot.js';
import { median, round } from './report.js';

const OFFERED = 100_000;
const POOL_BYTES = 20_000_000;
/** Offers of which the median makes one point of the curve. */
const WINDOW = 1_000;
/** Coins that one transaction makes, and what each is worth. */
const FAN = 3_000;
const VALUE = 49_000n;
const HIGHEST_RATE = 200;

/** Every signature passes: what is measured is what the mempool does beside checking them, which costs the same always. */
const trusting: Signatures = {
  engine: 'none',
  check: async (checks) => checks.map(() => accept(undefined)),
};

/**
 * 100,000 transactions of one input and two outputs, at random fee rates, offered one by one to a mempool that may take 20
 * MB: what each costs as it fills and when it is full, the memory it takes, and whether those that pay least had to go.
 */
export async function mempoolFigures(): Promise<Record<string, number | string>> {
  await using directory = await temporaryDirectory();
  const kv = lmdbKv({ directory: directory.path, synced: false });
  const { chain, coins } = await chainWithCoins(OFFERED);
  const parts = { chain, kv, signatures: trusting, verified: new VerifiedSet(), clock: systemClock, log: silentLog };
  const mempool = await Mempool.open({ ...parts, maxBytes: POOL_BYTES });
  const dice = Dice.of(1, 'offers');
  const points: { x: number; y: number }[] = [];
  const heap: { x: number; y: number }[] = [];
  let taken = 0;
  try {
    for (let start = 0; start < OFFERED; start += WINDOW) {
      const times: number[] = [];
      const offers = coins.slice(start, start + WINDOW).map((coin) => payment(coin, dice.between(1, HIGHEST_RATE)));
      for (const offer of offers) {
        const before = performance.now();
        const verdict = await mempool.submit(offer, null);
        if (!verdict.ok) continue;
        times.push((performance.now() - before) * 1_000);
        taken += 1;
      }
      points.push({ x: start + WINDOW, y: median(times) });
      if (start % (10 * WINDOW) === 0) heap.push({ x: start + WINDOW, y: heapMb() });
    }
    const rates = Array.from(mempool.pool.entries(), ({ rate }) => rate).sort((a, b) => a - b);
    const [empty, full] = [meanOf(points.slice(1, 4)), meanOf(points.slice(-20))];
    return {
      ...{ offered: OFFERED, taken, waiting: mempool.pool.count, usageMb: round(mempool.pool.usage / 1e6) },
      limitMb: POOL_BYTES / 1e6,
      heapMbWhenFirstFull: round(heap[1]?.y ?? 0),
      heapMbAtTheEnd: round(heap.at(-1)?.y ?? 0),
      lowestRateWaiting: round(rates[0] ?? 0),
      floor: round(mempool.minFeeRate),
      microsecondsNearlyEmpty: round(empty),
      microsecondsFull: round(full),
      ratio: round(full / empty),
      plot: plot({
        ...{ title: 'Admission to a mempool of 20 MB', x: 'transactions offered', y: 'µs each (median of 1,000)' },
        series: [{ name: 'taken in', points }],
      }),
    };
  } finally {
    await mempool.close();
    await kv.close();
  }
}

async function chainWithCoins(count: number) {
  const source = new TestChain();
  const chain = await memoryChain({ clock: systemClock });
  const key = testKey(1);
  const genesis = source.genesis.header.hash;
  const fans = Math.ceil(count / FAN);
  const blocks = source.grow(source.genesis, fans + 2);
  const spread = blocks.slice(0, fans).map((block) =>
    transfer({
      genesis,
      spend: [source.coinOf(block)],
      outputs: Array.from({ length: FAN }, () => ({ address: key.address, value: VALUE })),
    }),
  );
  for (const fan of spread) blocks.push(source.extend(present(blocks.at(-1)), { transactions: [fan] }));
  for (const block of blocks) assertOk(await chain.submitBlock(block));
  const coins = spread.flatMap(({ txid }) =>
    Array.from({ length: FAN }, (_, index): Spendable => {
      const coin = { address: key.address, value: toAmount(VALUE) };
      return { outpoint: { txid, index }, coin, key };
    }),
  );
  return { chain, coins };
}

/** A payment at a fee rate, with a signature that nobody looks at. */
function payment({ outpoint, coin, key }: Spendable, rate: number): Transaction {
  const fee = BigInt(rate * 160);
  const body: TransferBody = {
    kind: 'transfer',
    ...{ version: TRANSACTION_VERSION, timestamp: 0, memo: new Uint8Array(0) },
    inputs: [outpoint],
    outputs: [
      { address: testKey(2).address, value: toAmount(1_000n) },
      { address: key.address, value: toAmount(coin.value - 1_000n - fee) },
    ],
  };
  return sealTransaction(body, [new Uint8Array(65).fill(1)]);
}

function meanOf(points: readonly { readonly y: number }[]): number {
  return points.reduce((sum, { y }) => sum + y, 0) / points.length;
}

/** Memory in use once everything that can go is gone. */
function heapMb(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}
