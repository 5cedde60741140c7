/**
 * A mempool by the rules as `docs/PROTOCOL.md` tells them, and nothing else: a plain list of what waits, from which
 * families, clusters, chunks and sums are made afresh each time they are asked for. It shares no rule, number or
 * arithmetic with the real one. Slow, and simple enough to be read as the rules themselves.
 */

/** What matters of a transaction. */
export interface PlainTransaction {
  readonly txid: string;
  readonly wtxid: string;
  /** Bytes. */
  readonly size: number;
  /** Bytes of memory. */
  readonly usage: number;
  /** The coins it spends: txid, colon, index. */
  readonly inputs: readonly string[];
  /** The transactions that made these. */
  readonly parents: ReadonlySet<string>;
  readonly outputs: readonly bigint[];
  /** Whether its signatures are wrong. */
  readonly isJunk: boolean;
}

/** A coin of the chain. */
export interface PlainCoin {
  readonly value: bigint;
  readonly height: number;
  readonly isCoinbase: boolean;
}

/** The chain at a tip. */
export interface PlainChain {
  readonly height: number;
  readonly coins: ReadonlyMap<string, PlainCoin>;
  /** The height of each confirmed transaction. */
  readonly confirmed: ReadonlyMap<string, number>;
}

/** One that waits. */
export interface Waiting {
  readonly tx: PlainTransaction;
  readonly fee: bigint;
  readonly firstSeen: number;
  readonly arrival: number;
}

/** What miners take as a whole. */
export interface PlainChunk {
  readonly members: readonly Waiting[];
  readonly fee: bigint;
  readonly size: number;
}

/** One that has left without being confirmed. */
export interface Left {
  readonly txid: string;
  readonly code: string;
  readonly by?: string;
}

/** What came of something: the code that refused it, or what it changed. */
export type Outcome =
  | { readonly code: string }
  | { readonly code: 'ok'; readonly added: readonly string[]; readonly left: readonly Left[] };

interface Terms {
  readonly isExempt: boolean;
  readonly floor: number;
  /** What came in before it in its package, and how many left for these. */
  readonly companions: ReadonlySet<string>;
  readonly replaced: number;
}

const MATURITY = 2;
const DUST = 100n;
const LINE = 25;
const LINE_BYTES = 101_000;
const CLUSTER = 100;
const REPLACED = 100;
const WAIT = 72 * 60 * 60 * 1000;
const HALF_LIFE = 12 * 60 * 60 * 1000;

export class NaivePool {
  chain: PlainChain;
  waiting: readonly Waiting[] = [];
  readonly #limit: number;
  #arrivals = 0;
  #floor = 0;
  #floorAt = 0;
  #known: { readonly waiting: readonly Waiting[]; readonly clusters: readonly Waiting[][] } | undefined;
  readonly #cuts = new Map<string, readonly PlainChunk[]>();

  constructor(chain: PlainChain, limit: number) {
    this.chain = chain;
    this.#limit = limit;
  }

  get usage(): number {
    return this.waiting.reduce((sum, { tx }) => sum + tx.usage, 0);
  }

  floor(now: number): number {
    const fill = this.usage / this.#limit;
    const halving = fill < 0.25 ? HALF_LIFE / 4 : fill < 0.5 ? HALF_LIFE / 2 : HALF_LIFE;
    this.#floor /= 2 ** (Math.max(0, now - this.#floorAt) / halving);
    this.#floorAt = now;
    if (this.#floor < 0.5) this.#floor = 0;
    return Math.max(1, this.#floor);
  }

  /** Hands in one or several, signatures and all. */
  submit(txs: readonly PlainTransaction[], now: number): Outcome {
    const before = this.#save();
    const arrivals = txs.map((tx) => ({ tx, firstSeen: now }));
    // The signatures come last of all but for the room.
    const tried = this.#take(arrivals, { now, isExempt: false, isRoomMade: false });
    this.#restore(before);
    if (tried.code !== 'ok' || !('added' in tried)) return tried;
    if (txs.some(({ txid, isJunk }) => isJunk && tried.added.includes(txid))) return { code: 'tx-signature-invalid' };
    return this.#take(arrivals, { now, isExempt: false, isRoomMade: true });
  }

  /** A block has come onto the tip. */
  connect(chain: PlainChain, block: { readonly hash: string; readonly txs: readonly PlainTransaction[] }): Left[] {
    this.chain = chain;
    const txids = new Set(block.txs.map(({ txid }) => txid));
    this.waiting = this.waiting.filter(({ tx }) => !txids.has(tx.txid));
    const spent = new Set(block.txs.flatMap(({ inputs }) => inputs));
    const losers = this.waiting.filter(({ tx }) => tx.inputs.some((input) => spent.has(input)));
    return this.#drop(losers, { code: 'tx-input-missing', by: block.hash });
  }

  /** Another branch is the chain now. `lost`: the transfers of the blocks that left, block by block, highest first. */
  switchTo(
    chain: PlainChain,
    lost: readonly (readonly PlainTransaction[])[],
    now: number,
  ): { left: Left[]; back: string[] } {
    const kept = [...lost];
    const memory = (): number => kept.flat().reduce((sum, { usage }) => sum + usage, 0);
    while (memory() > this.#limit && kept.length > 1) kept.shift();
    const fromBlocks = kept.reverse().flat();
    const again = [
      ...fromBlocks.map((tx) => ({ tx, firstSeen: now })),
      ...this.waiting.toSorted((a, b) => a.arrival - b.arrival),
    ];
    this.chain = chain;
    this.waiting = [];
    const left: Left[] = [];
    const back: string[] = [];
    for (const each of again) {
      const outcome = this.#take([each], { now, isExempt: true, isRoomMade: true });
      if ('added' in outcome) {
        left.push(...outcome.left);
        if (fromBlocks.includes(each.tx)) back.push(...outcome.added);
      } else if (outcome.code !== 'pool-known') left.push({ txid: each.tx.txid, code: outcome.code });
    }
    return { left, back };
  }

  /** It is looked whether something has waited too long. */
  expire(now: number): Left[] {
    return this.#drop(
      this.waiting.filter(({ firstSeen }) => now - firstSeen > WAIT),
      { code: 'pool-expired' },
    );
  }

  /** The process starts anew with what was saved: oldest first, and children when their parents are there. */
  restart(now: number): void {
    let saved = this.waiting.toSorted(
      (a, b) => a.firstSeen - b.firstSeen || (a.tx.wtxid < b.tx.wtxid ? -1 : Number(a.tx.wtxid > b.tx.wtxid)),
    );
    this.waiting = [];
    this.#arrivals = 0;
    this.#floor = 0;
    this.#cuts.clear();
    for (let count = -1; saved.length > 0 && saved.length !== count; ) {
      count = saved.length;
      saved = saved.filter((each) => {
        const { code } = this.#take([{ ...each, firstSeen: Math.min(each.firstSeen, now) }], {
          ...{ now, isExempt: true, isRoomMade: true },
        });
        return code === 'tx-input-missing';
      });
    }
  }

  /** Best first. */
  chunks(): PlainChunk[] {
    const clusters = this.clusters().map((members) => {
      const first = Math.min(...members.map(({ arrival }) => arrival));
      return this.#cut(members).map((chunk, position) => ({ chunk, first, position }));
    });
    return clusters
      .flat()
      .sort((a, b) => byRate(b.chunk, a.chunk) || a.first - b.first || a.position - b.position)
      .map(({ chunk }) => chunk);
  }

  clusters(): readonly Waiting[][] {
    // Asked for several times of the same list, which is never changed but replaced.
    if (this.#known?.waiting !== this.waiting) this.#known = { waiting: this.waiting, clusters: this.#clusters() };
    return this.#known.clusters;
  }

  #clusters(): Waiting[][] {
    const rest = new Set(this.waiting);
    const clusters: Waiting[][] = [];
    for (const start of this.waiting) {
      if (!rest.delete(start)) continue;
      const cluster = [start];
      for (const each of cluster)
        for (const other of rest)
          if (isChild(other.tx, each.tx) || isChild(each.tx, other.tx)) {
            rest.delete(other);
            cluster.push(other);
          }
      clusters.push(cluster);
    }
    return clusters;
  }

  ancestors(tx: PlainTransaction): Set<Waiting> {
    const found = new Set<Waiting>();
    const walk = (of: PlainTransaction): void => {
      for (const each of this.waiting)
        if (isChild(of, each.tx) && !found.has(each)) {
          found.add(each);
          walk(each.tx);
        }
    };
    walk(tx);
    return found;
  }

  /** These, and all that cannot do without them. */
  below(these: readonly Waiting[]): Set<Waiting> {
    const found = new Set(these);
    for (const each of found) for (const other of this.waiting) if (isChild(other.tx, each.tx)) found.add(other);
    return found;
  }

  #take(
    arrivals: readonly { readonly tx: PlainTransaction; readonly firstSeen: number }[],
    how: { readonly now: number; readonly isExempt: boolean; readonly isRoomMade: boolean },
  ): Outcome {
    const { now, isExempt, isRoomMade } = how;
    const before = this.#save();
    const refuse = (code: string): Outcome => {
      this.#restore(before);
      return { code };
    };
    const floor = this.floor(now);
    const isAlone = arrivals.length === 1;
    const companions = new Set<string>();
    const left: Left[] = [];
    for (const { tx, firstSeen } of arrivals) {
      const terms = { isExempt, floor: isAlone ? floor : 0, companions, replaced: left.length };
      const judged = this.#judge(tx, terms);
      if (typeof judged === 'string') {
        if (judged === 'pool-known' && !isAlone) continue;
        return refuse(judged);
      }
      left.push(...this.#drop(judged.out, { code: 'pool-replaced', by: tx.txid }));
      this.waiting = [...this.waiting, { tx, fee: judged.fee, firstSeen, arrival: this.#arrivals++ }];
      companions.add(tx.txid);
    }
    const chunks = this.chunks();
    if (!isAlone && !isExempt)
      for (const { members, fee, size } of chunks)
        if (members.some(({ tx }) => companions.has(tx.txid)) && fee < needed(size, floor))
          return refuse('pool-fee-too-low');
    const victims: PlainChunk[] = [];
    for (let usage = this.usage; isRoomMade && usage > this.#limit; ) {
      const worst = chunks.pop();
      if (worst === undefined || worst.members.some(({ tx }) => companions.has(tx.txid))) return refuse('pool-full');
      victims.push(worst);
      for (const { tx } of worst.members) usage -= tx.usage;
    }
    for (const { members, fee, size } of victims) {
      this.#floor = Math.max(this.#floor, Number(fee) / size + 1);
      left.push(...this.#drop(members, { code: 'pool-full' }));
    }
    return { code: 'ok', added: [...companions], left };
  }

  /** The code that refuses it, or its fee and what leaves for it. */
  #judge(tx: PlainTransaction, terms: Terms): string | { fee: bigint; out: Waiting[] } {
    const { isExempt, floor, companions, replaced } = terms;
    if (this.waiting.some((each) => each.tx.txid === tx.txid) || this.chain.confirmed.has(tx.txid)) return 'pool-known';
    if (tx.outputs.includes(0n)) return 'tx-value-zero';
    if (!isExempt && tx.outputs.some((value) => value < DUST)) return 'pool-dust';
    let fee = 0n;
    for (const input of tx.inputs) {
      const value = this.#valueOf(input);
      if (typeof value === 'string') return value;
      fee += value;
    }
    for (const value of tx.outputs) fee -= value;
    if (fee < 0n) return 'tx-overspend';
    if (this.waiting.filter((each) => isChild(tx, each.tx)).length + 1 > LINE) return 'pool-chain-too-long';
    const ancestors = this.ancestors(tx);
    const conflicts = this.waiting.filter((each) => each.tx.inputs.some((input) => tx.inputs.includes(input)));
    const out = [...this.below(conflicts)];
    if (conflicts.length > 0) {
      if (out.length + replaced > REPLACED) return 'pool-replacement-size';
      if (out.some((each) => ancestors.has(each) || companions.has(each.tx.txid))) return 'pool-conflict';
      if (fee < sum(out).fee + needed(tx.size, 1)) return 'pool-replacement-fee';
      const own = { fee, size: tx.size };
      const all = sum([...ancestors, { tx, fee }]);
      for (const { fee: theirs, tx: rival } of conflicts)
        for (const mine of [own, all])
          if (byRate(mine, { fee: theirs, size: rival.size }) <= 0) return 'pool-replacement-rate';
    }
    if (!isExempt && fee < needed(tx.size, floor)) return 'pool-fee-too-low';
    return this.#familyCode(tx, { ancestors, out }) ?? { fee, out };
  }

  #familyCode(
    tx: PlainTransaction,
    { ancestors, out }: { readonly ancestors: ReadonlySet<Waiting>; readonly out: readonly Waiting[] },
  ): string | undefined {
    const lines = [[...ancestors]];
    for (const ancestor of ancestors) lines.push([...this.below([ancestor])].filter((each) => !out.includes(each)));
    if (lines.some((line) => line.length + 1 > LINE)) return 'pool-chain-too-long';
    const joined = this.clusters().filter((cluster) => cluster.some((each) => ancestors.has(each)));
    const staying = joined.flat().filter((each) => !out.includes(each));
    if (ancestors.size > 0 && staying.length + 1 > CLUSTER) return 'pool-chain-too-long';
    return lines.some((line) => line.length > 0 && sum(line).size + tx.size > LINE_BYTES)
      ? 'pool-chain-too-large'
      : undefined;
  }

  #valueOf(input: string): bigint | string {
    const [txid, index] = input.split(':');
    const waits = this.waiting.find(({ tx }) => tx.txid === txid);
    const output = waits?.tx.outputs[Number(index)];
    if (output !== undefined) return output;
    const coin = this.chain.coins.get(input);
    if (coin === undefined) return 'tx-input-missing';
    return coin.isCoinbase && this.chain.height + 1 - coin.height < MATURITY ? 'tx-immature' : coin.value;
  }

  #drop(these: readonly Waiting[], why: Omit<Left, 'txid'>): Left[] {
    const gone = this.below(these);
    this.waiting = this.waiting.filter((each) => !gone.has(each));
    return Array.from(gone, ({ tx }) => ({ txid: tx.txid, ...why }));
  }

  /** A cluster is cut once: the same members are cut the same way. */
  #cut(members: readonly Waiting[]): readonly PlainChunk[] {
    const name = members
      .map(({ arrival }) => arrival)
      .sort((a, b) => a - b)
      .join();
    const chunks = this.#cuts.get(name) ?? chunksOf(members);
    this.#cuts.set(name, chunks);
    return chunks;
  }

  #save(): readonly Waiting[] {
    return this.waiting;
  }

  #restore(before: readonly Waiting[]): void {
    this.waiting = before;
  }
}

function isChild(child: PlainTransaction, parent: PlainTransaction): boolean {
  return child.parents.has(parent.txid);
}

function needed(size: number, floor: number): bigint {
  return BigInt(Math.ceil(size * floor));
}

function sum(members: readonly Pick<Waiting, 'tx' | 'fee'>[]): { fee: bigint; size: number } {
  let [fee, size] = [0n, 0];
  for (const each of members) {
    fee += each.fee;
    size += each.tx.size;
  }
  return { fee, size };
}

function less(a: Rated, b: Rated): Rated {
  return { fee: a.fee - b.fee, size: a.size - b.size };
}

type Rated = Pick<PlainChunk, 'fee' | 'size'>;

/** Above 0 where the first pays more for each byte. */
function byRate(a: Rated, b: Rated): number {
  const difference = a.fee * BigInt(b.size) - b.fee * BigInt(a.size);
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}

/**
 * A cluster in the order of miners: what pays best with all it still needs goes next, of equals what came first. Then cut
 * where the best rate from the start to here and from here on does not rise: at the corners of the upper hull.
 */
function chunksOf(cluster: readonly Waiting[]): PlainChunk[] {
  let rest = cluster.toSorted((a, b) => a.arrival - b.arrival);
  const picks: Waiting[][] = [];
  while (rest.length > 0) {
    const candidates = rest.map((each) => needsOf(each, rest));
    const [first = []] = candidates;
    const best = candidates.reduce((most, each) => (byRate(sum(each), sum(most)) > 0 ? each : most), first);
    picks.push(best);
    rest = rest.filter((each) => !best.includes(each));
  }
  const upTo = picks.map((_, i) => sum(picks.slice(0, i + 1).flat()));
  upTo.unshift({ fee: 0n, size: 0 });
  const cuts = upTo.flatMap((here, at) => {
    const before = upTo.slice(0, at).map((there) => less(here, there));
    const after = upTo.slice(at + 1).map((there) => less(there, here));
    const [worst] = before.toSorted(byRate);
    const [best] = after.toSorted((a, b) => byRate(b, a));
    return worst !== undefined && (best === undefined || byRate(worst, best) >= 0) ? [at] : [];
  });
  return cuts.map((to, i) => {
    const members = picks.slice(i === 0 ? 0 : cuts[i - 1], to).flat();
    return { members, ...sum(members) };
  });
}

function needsOf(of: Waiting, rest: readonly Waiting[]): Waiting[] {
  const needs = new Set([of]);
  for (const each of needs) for (const other of rest) if (isChild(each.tx, other.tx)) needs.add(other);
  return [...needs];
}
