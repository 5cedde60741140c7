import type { Mempool } from '../../server/mempool/mempool.js';
import type { Clock } from '../../server/ports.js';
import type { Transaction, TransferBody } from '../../shared/model/transaction.js';
import { parseReason } from '../../shared/parseReason.js';
import type { POOL_CODES } from '../../shared/policy/reject.js';
import { MAX_WAIT_MS } from '../../shared/policy/relay.js';
import type { Reason } from '../../shared/reasons.js';
import { assertOk, assertRefused, present } from '../kit/assertOk.js';
import { type Spendable, testKey, transfer } from '../kit/builders.js';
import { TestChain } from '../kit/testChain.js';
import { memoryChain, stillClock } from '../support/memoryChain.js';
import { memoryMempool } from '../support/memoryMempool.js';

const alice = testKey(1);

/** A mempool on a chain with ripe coins. */
async function poolWithCoins(maxBytes?: number) {
  const source = new TestChain();
  const chain = await memoryChain();
  const blocks = source.grow(source.genesis, 8);
  for (const block of blocks) assertOk(await chain.submitBlock(block));
  const still = stillClock();
  const timers: (() => void)[] = [];
  const clock: Clock = {
    ...still,
    after: (_, action) => {
      timers.push(action);
      return () => {};
    },
  };
  const mempool = await memoryMempool(chain, maxBytes === undefined ? { clock } : { clock, maxBytes });
  const coins = blocks.slice(0, 6).map((block) => source.coinOf(block));
  const genesis = source.genesis.header.hash;
  /** Pays all of these coins but for a fee to one owner, in so many parts. */
  const payAll = (spend: readonly Spendable[], fee: bigint, parts = 1): Transaction<TransferBody> => {
    const value = (spend.reduce((sum, { coin }) => sum + coin.value, 0n) - fee) / BigInt(parts);
    return transfer({ genesis, spend: [...spend], outputs: Array(parts).fill({ address: alice.address, value }) });
  };
  return {
    mempool,
    payAll,
    coins,
    first: present(coins[0]),
    second: present(coins[1]),
    pay: (spend: Spendable, fee: bigint) => payAll([spend], fee),
    /** Moves the time on, and rings what has been set. */
    pass(ms: number) {
      still.set(still.now() + ms);
      for (const ring of timers.splice(0)) ring();
    },
  };
}

function outputOf({ txid, body }: Transaction<TransferBody>, index = 0): Spendable {
  return { outpoint: { txid, index }, coin: present(body.outputs[index]), key: alice };
}

/** Why something left the mempool meanwhile. */
async function departure(mempool: Mempool, meanwhile: () => unknown): Promise<Reason | null> {
  let reason: Reason | null = null;
  const stop = mempool.events.on('dropped', ({ code, by }) => {
    reason = parseReason({ code, by });
  });
  await meanwhile();
  stop();
  return reason;
}

async function refused(mempool: Mempool, transaction: Transaction): Promise<Reason> {
  return assertRefused(await mempool.submit(transaction, null));
}

/** For each reason of the mempool, a transaction that meets it. */
export const poolCases: Record<keyof typeof POOL_CODES, () => Promise<Reason | null>> = {
  'pool-known': async () => {
    const { mempool, pay, first } = await poolWithCoins();
    assertOk(await mempool.submit(pay(first, 1_000n), null));
    return refused(mempool, pay(first, 1_000n));
  },
  'pool-dust': async () => {
    const { mempool, pay, first } = await poolWithCoins();
    return refused(mempool, pay(first, first.coin.value - 1n));
  },
  'pool-conflict': async () => {
    const { mempool, pay, payAll, first } = await poolWithCoins();
    const parent = pay(first, 1_000n);
    assertOk(await mempool.submit(parent, null));
    return refused(mempool, payAll([first, outputOf(parent)], 50_000n));
  },
  'pool-replacement-size': async () => {
    const { mempool, pay, payAll, coins } = await poolWithCoins();
    for (const coin of coins.slice(0, 5)) {
      const parent = payAll([coin], 10_000n, 24);
      assertOk(await mempool.submit(parent, null));
      for (let child = 0; child < 24; child++)
        assertOk(await mempool.submit(pay(outputOf(parent, child), 1_000n), null));
    }
    return refused(mempool, payAll(coins.slice(0, 5), 100_000_000n));
  },
  'pool-replacement-fee': async () => {
    const { mempool, pay, first } = await poolWithCoins();
    assertOk(await mempool.submit(pay(first, 1_000n), null));
    return refused(mempool, pay(first, 1_001n));
  },
  'pool-replacement-rate': async () => {
    const { mempool, pay, payAll, coins, first } = await poolWithCoins();
    assertOk(await mempool.submit(pay(first, 1_000n), null));
    return refused(mempool, payAll(coins.slice(0, 3), 1_400n));
  },
  'pool-replaced': async () => {
    const { mempool, pay, first } = await poolWithCoins();
    assertOk(await mempool.submit(pay(first, 1_000n), null));
    return departure(mempool, async () => assertOk(await mempool.submit(pay(first, 5_000n), null)));
  },
  'pool-expired': async () => {
    const { mempool, pay, first, pass } = await poolWithCoins();
    assertOk(await mempool.submit(pay(first, 1_000n), null));
    return departure(mempool, () => pass(MAX_WAIT_MS + 1));
  },
  'pool-fee-too-low': async () => {
    const { mempool, pay, first } = await poolWithCoins();
    return refused(mempool, pay(first, 1n));
  },
  'pool-full': async () => {
    const { mempool, pay, first, second } = await poolWithCoins(4_000);
    assertOk(await mempool.submit(pay(first, 2_000n), null));
    return refused(mempool, pay(second, 1_000n));
  },
  'pool-chain-too-long': async () => {
    const { mempool, pay, first } = await poolWithCoins();
    for (let spend = first; ; ) {
      const transaction = pay(spend, 1_000n);
      const verdict = await mempool.submit(transaction, null);
      if (!verdict.ok) return verdict.reject;
      spend = outputOf(transaction);
    }
  },
  'pool-chain-too-large': async () => {
    const { mempool, payAll, first } = await poolWithCoins();
    const parent = payAll([first], 1_000_000n, 2_400);
    assertOk(await mempool.submit(parent, null));
    const rest = Array.from({ length: 1_500 }, (_, index) => outputOf(parent, index));
    return refused(mempool, payAll(rest, 100_000n));
  },
};
