import { Chainstate } from '../../server/chain/chainstate.js';
import { VerifiedSet } from '../../server/chain/verifiedSet.js';
import { Mempool } from '../../server/mempool/mempool.js';
import { usageOf } from '../../server/mempool/usage.js';
import type { Clock, Signatures } from '../../server/ports.js';
import { memoryKv } from '../../server/store/memoryKv.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { ZERO_AMOUNT } from '../../shared/model/amount.js';
import type { Block } from '../../shared/model/block.js';
import type { BlockHash, TxId } from '../../shared/model/ids.js';
import { outPointKey } from '../../shared/model/outpoint.js';
import { inputsOf, isTransfer, sealTransaction, type Transaction } from '../../shared/model/transaction.js';
import { accept, refuse } from '../../shared/verdict.js';
import { assertOk, present } from '../kit/assertOk.js';
import { testKey, transferBody } from '../kit/builders.js';
import { silentLog } from '../kit/sim/silentLog.js';
import { TestChain } from '../kit/testChain.js';
import type { PlainChain, PlainCoin, PlainTransaction } from './naivePool.js';

/** The first byte of every signature says whether it counts: nothing is really signed here. */
const [GOOD, JUNK] = [1, 2];
const START = 1_800_000_000_000;

const owner = testKey(1);

/** Takes a signature for good or bad by its first byte: what is under test is what waits, and signing takes longest. */
export const pretendedSignatures: Signatures = {
  engine: 'none',
  check: async (checks) =>
    checks.map(({ signatures }) => {
      const bad = signatures.findIndex(([first]) => first !== GOOD);
      return bad < 0 ? accept(undefined) : refuse({ code: 'tx-signature-invalid', signature: bad });
    }),
};

/** Time that goes by when it is told to. Each look at it takes so long that judging again gets a turn for each transaction, or none at all. */
export class ModelClock implements Clock {
  #now = START;
  #ticks = 0;
  readonly #slow: boolean;
  #timers: { at: number; action: () => void }[] = [];

  constructor(slow: boolean) {
    this.#slow = slow;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    if (this.#slow) this.#ticks += 9;
    return this.#ticks;
  }

  after(ms: number, action: () => void): () => void {
    const timer = { at: this.#now + ms, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  yield(): Promise<void> {
    return Promise.resolve();
  }

  /** Goes on by so much at once. Answers whether anything was due. */
  advance(ms: number): boolean {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { action } of due) action();
    return due.length > 0;
  }
}

/** What a transaction is to do. */
export interface Wish {
  readonly inputs: readonly string[];
  /** Values; what they leave of the inputs is the fee. */
  readonly outputs: readonly bigint[];
  readonly memo?: number;
  readonly isJunk?: boolean;
}

/** A block of the tree, and the chain up to it. */
export interface Place {
  readonly block: Block;
  readonly below: Place | undefined;
  readonly chain: PlainChain;
}

/** A real chain with a real mempool, and beside it a ledger of every branch, kept by hand. */
export class World {
  readonly source = new TestChain();
  readonly clock: ModelClock;
  readonly chain: Chainstate;
  readonly #kv = memoryKv();
  readonly #verified = new VerifiedSet();
  readonly #limit: number;
  readonly #real = new Map<string, Transaction>();
  readonly #outputs = new Map<string, readonly bigint[]>();
  #tag = 0;
  tip: Place;
  mempool: Mempool;

  private constructor({
    chain,
    clock,
    mempool,
    limit,
  }: Pick<World, 'chain' | 'clock' | 'mempool'> & { limit: number }) {
    this.chain = chain;
    this.clock = clock;
    this.mempool = mempool;
    this.#limit = limit;
    const { genesis } = this.source;
    this.tip = { block: genesis, below: undefined, chain: { height: 0, coins: new Map(), confirmed: new Map() } };
  }

  static async open({ limit, isSlow }: { readonly limit: number; readonly isSlow: boolean }): Promise<World> {
    const clock = new ModelClock(isSlow);
    const chain = await Chainstate.open({
      ...{ params: NETWORKS.dev, kv: memoryKv(), directory: 'memory', clock, log: silentLog },
      ...{ signatures: pretendedSignatures, verified: new VerifiedSet() },
    });
    const world: World = new World({ chain, clock, limit, mempool: await openMempool({ chain, clock }, limit) });
    await world.restart();
    return world;
  }

  /** The process that has the mempool ends, and another begins with what was saved. */
  async restart(): Promise<void> {
    await this.mempool.close();
    const parts = { chain: this.chain, clock: this.clock, kv: this.#kv, verified: this.#verified };
    this.mempool = await openMempool(parts, this.#limit);
  }

  make({ inputs, outputs, memo = 0, isJunk = false }: Wish): PlainTransaction {
    const spend = inputs.map((input) => {
      const [txid = '', index] = input.split(':');
      return {
        outpoint: { txid: txid as TxId, index: Number(index) },
        coin: { address: owner.address, value: ZERO_AMOUNT },
        key: owner,
      };
    });
    this.#tag += 1;
    const body = transferBody({
      ...{ genesis: '' as BlockHash, spend, timestamp: this.#tag, memo: new Uint8Array(memo) },
      outputs: outputs.map((value) => ({ address: owner.address, value })),
    });
    const transaction = sealTransaction(body, [new Uint8Array(65).fill(isJunk ? JUNK : GOOD)]);
    const plain = { ...plainOf(transaction), isJunk };
    this.#real.set(plain.wtxid, transaction);
    this.#outputs.set(plain.txid, plain.outputs);
    return plain;
  }

  /** What an output of any transaction made so far is worth. */
  outputOf(txid: string | undefined, index: number): bigint | undefined {
    return txid === undefined ? undefined : this.#outputs.get(txid)?.[index];
  }

  real(tx: PlainTransaction): Transaction {
    return present(this.#real.get(tx.wtxid));
  }

  /** A block on a place; a wrong one may be told of and is no place to stand on. */
  extend(below: Place, txs: readonly PlainTransaction[]): Place {
    const block = this.source.extend(below.block, { transactions: txs.map((tx) => this.real(tx)) });
    const coins = new Map(below.chain.coins);
    const confirmed = new Map(below.chain.confirmed);
    const height = below.chain.height + 1;
    for (const transaction of block.transactions) {
      const { txid, inputs, outputs } = plainOf(transaction);
      for (const input of inputs) coins.delete(input);
      const isCoinbase = !isTransfer(transaction);
      for (const [index, value] of outputs.entries()) coins.set(`${txid}:${index}`, { value, height, isCoinbase });
      confirmed.set(txid, height);
    }
    return { block, below, chain: { height, coins, confirmed } };
  }

  /** Hands blocks to the real chain; the last must be its tip then. */
  async submit(places: readonly Place[]): Promise<void> {
    for (const { block } of places) assertOk(await this.chain.submitBlock(block));
    const last = present(places.at(-1));
    if (this.chain.tip.header.hash !== last.block.header.hash) throw new Error('the branch is not the chain');
    this.tip = last;
    await this.mempool.atRest();
  }

  /** Hands in a branch whose last block holds, beside what it should, a transaction that nobody can make. */
  async submitWrong(places: readonly Place[], wrong: PlainTransaction): Promise<void> {
    const last = present(places.at(-1));
    for (const { block } of places.slice(0, -1)) assertOk(await this.chain.submitBlock(block));
    const transactions = [...transfersOf(last.block), wrong].map((tx) => this.real(tx));
    const verdict = await this.chain.submitBlock(this.source.extend(present(last.below).block, { transactions }));
    if (verdict.ok || this.chain.tip.header.hash !== this.tip.block.header.hash)
      throw new Error('a wrong branch has become the chain');
    await this.mempool.atRest();
  }
}

function openMempool(
  parts: Pick<World, 'chain' | 'clock'> & {
    readonly kv?: ReturnType<typeof memoryKv>;
    readonly verified?: VerifiedSet;
  },
  maxBytes: number,
): Promise<Mempool> {
  const { kv = memoryKv(), verified = new VerifiedSet() } = parts;
  return Mempool.open({ ...parts, kv, verified, signatures: pretendedSignatures, log: silentLog, maxBytes });
}

/** The transfers of a block. */
export function transfersOf({ transactions }: Block): PlainTransaction[] {
  return transactions.filter(isTransfer).map(plainOf);
}

/** Whether a coin may be spent in a block of this height. */
export function isRipe({ isCoinbase, height }: PlainCoin, at: number): boolean {
  return !isCoinbase || at - height >= NETWORKS.dev.coinbaseMaturity;
}

function plainOf(transaction: Transaction): PlainTransaction {
  const { txid, wtxid, raw, body, signatures } = transaction;
  const inputs = inputsOf(transaction);
  return {
    ...{ txid, wtxid, size: raw.length, usage: usageOf(transaction) },
    inputs: inputs.map(outPointKey),
    parents: new Set<string>(inputs.map((input) => input.txid)),
    outputs: body.outputs.map(({ value }) => value),
    isJunk: signatures.some(([first]) => first !== GOOD),
  };
}
