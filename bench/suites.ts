import { lmdbKv } from '../server/store/lmdbKv.js';
import { systemClock } from '../server/system/clock.js';
import { signDigest } from '../shared/crypto/secp.js';
import { type RecoveryEngine, recoverOwner } from '../shared/crypto/signature.js';
import type { Block } from '../shared/model/block.js';
import { decodeTransaction, type Transaction } from '../shared/model/transaction.js';
import { assertConverged } from '../test/kit/assertions.js';
import { assertOk, present } from '../test/kit/assertOk.js';
import { type Spendable, testKey, transfer } from '../test/kit/builders.js';
import { simulate } from '../test/kit/sim/simulate.js';
import { TestChain } from '../test/kit/testChain.js';
import { allEngines } from '../test/support/engines.js';
import { memoryChain } from '../test/support/memoryChain.js';
import { temporaryDirectory } from '../test/support/temporary.js';
import { flood } from './flood.js';
import { mempoolFigures } from './mempool.js';
import { miner } from './miner.js';
import { peers } from './peers.js';
import { relayFigures } from './relay.js';
import { spam } from './spam.js';
import { sync } from './sync.js';
import { template } from './template.js';

/** One thing to measure: does it some number of times and answers how often. */
export interface Measurement {
  readonly what: string;
  run(): Promise<number>;
}

/** Measurements that belong together. */
export interface Suite {
  readonly name: string;
  /** What is repeated, and told as so many a second. */
  measurements?(): Promise<readonly Measurement[]>;
  /** Or one long run that has figures of its own; run only where it is named, for it takes minutes. */
  figures?(): Promise<Readonly<Record<string, number | string>>>;
}

const BLOCKS = 20;
const PER_BLOCK = 100;

/** Every suite. `bench/README.md` says what each measures. */
export const suites: readonly Suite[] = [
  { name: 'engine', measurements: engine },
  { name: 'codec', measurements: codec },
  { name: 'connect', measurements: connect },
  { name: 'sim', measurements: sim },
  { name: 'mempool', figures: mempoolFigures },
  { name: 'relay', figures: relayFigures },
  { name: 'miner', figures: miner },
  { name: 'peers', figures: peers },
  { name: 'sync', figures: sync },
  { name: 'spam', figures: spam },
  { name: 'flood', figures: flood },
  { name: 'template', figures: template },
];

async function engine(): Promise<Measurement[]> {
  const key = testKey(1);
  const digest = new Uint8Array(32).fill(7);
  const signature = signDigest(digest, key.secretKey);
  const check = (which: RecoveryEngine, times: number): Measurement => ({
    what: `signatures checked by ${which.name}`,
    async run() {
      for (let i = 0; i < times; i++) if (recoverOwner(which, digest, signature) !== key.address) throw new Error('no');
      return times;
    },
  });
  return (await allEngines()).map((each) => check(each, each.name === 'noble' ? 300 : 5_000));
}

async function codec(): Promise<Measurement[]> {
  const { blocks } = paymentChain();
  const raws = blocks.flatMap(({ transactions }) => transactions.map(({ raw }) => raw));
  return [
    {
      what: 'transactions decoded, with their ids',
      async run() {
        for (const raw of raws) if (!decodeTransaction(raw).ok) throw new Error('no');
        return raws.length;
      },
    },
  ];
}

async function connect(): Promise<Measurement[]> {
  const { blocks } = paymentChain();
  const count = blocks.reduce((sum, { transactions }) => sum + transactions.length, 0);
  return [
    {
      what: `transactions connected, all indexes, on disk, blocks of ${PER_BLOCK}`,
      async run() {
        await using directory = await temporaryDirectory();
        const kv = lmdbKv({ directory: directory.path, synced: true });
        const chain = await memoryChain({ kv, clock: systemClock });
        for (const block of blocks) assertOk(await chain.submitBlock(block));
        await kv.close();
        return count;
      },
    },
  ];
}

async function sim(): Promise<Measurement[]> {
  return [
    {
      what: 'networks of five simulated nodes brought up',
      async run() {
        await using net = await simulate({ nodes: 5, seed: 1 });
        return net.nodes.length / 5;
      },
    },
    {
      what: 'tests of five nodes that part, mine 100 blocks, switch branches and heal',
      async run() {
        await using net = await simulate({ nodes: 5, seed: 1 });
        net.partition([0, 1], [2, 3, 4]);
        await net.mine(0, 49);
        await net.mine(2, 51);
        net.heal();
        await net.settle();
        assertConverged(net);
        return 1;
      },
    },
    {
      what: 'events of a quiet minute of five nodes',
      async run() {
        await using net = await simulate({ nodes: 5, seed: 1 });
        const before = net.scheduler.events;
        await net.advance(60_000);
        return net.scheduler.events - before;
      },
    },
  ];
}

/** A chain whose last blocks are full of payments of one input and two outputs. */
function paymentChain(): { blocks: Block[] } {
  const source = new TestChain();
  const key = testKey(1);
  const genesis = source.genesis.header.hash;
  const blocks = source.grow(source.genesis, 3);
  const [first] = blocks;
  const value = 1_000_000n;
  const spread = transfer({
    genesis,
    spend: [source.coinOf(present(first))],
    outputs: Array.from({ length: PER_BLOCK }, () => ({ address: key.address, value })),
  });
  const fees = 150_000_000n - value * BigInt(PER_BLOCK);
  blocks.push(source.extend(present(blocks.at(-1)), { transactions: [spread], fees }));
  let coins: Spendable[] = spread.body.outputs.map((coin, index) => ({
    outpoint: { txid: spread.txid, index },
    coin,
    key,
  }));
  for (let i = 0; i < BLOCKS; i++) {
    const transactions = coins.map((coin): Transaction => pay(genesis, coin));
    coins = transactions.map(({ txid, body }) => ({
      outpoint: { txid, index: 0 },
      coin: present(body.outputs[0]),
      key,
    }));
    blocks.push(source.extend(present(blocks.at(-1)), { transactions }));
  }
  return { blocks };
}

function pay(genesis: Block['header']['hash'], spend: Spendable): Transaction {
  const rest = { address: spend.key.address, value: spend.coin.value - 100n };
  return transfer({ genesis, spend: [spend], outputs: [rest, { address: testKey(2).address, value: 100n }] });
}
