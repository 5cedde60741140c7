import type { HeaderReject } from '../../shared/consensus/reject.js';
import type { Header } from '../../shared/model/header.js';
import { MAX_HEADERS } from '../../shared/rpc/blockSchemas.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import { Background } from '../background.js';
import { reasonOfMark } from '../chain/headerMarks.js';
import type { Peer } from '../net/peer.js';
import type { HeaderRecord } from '../store/layout.js';
import { locatorFrom, locatorOf } from './branch.js';
import { Claim } from './claim.js';
import { HeaderSource } from './headerSource.js';
import { Presync } from './presync.js';
import type { SyncParts } from './syncParts.js';

/** Rounds of headers from one peer: 20 million blocks. A peer that has still more is making them up. */
const MAX_ROUNDS = 10_000;
/** Headers that are judged or stored without a pause: some ten milliseconds. */
const SLICE = 100;
/** Peers whose headers are in the first of two passes, at once: each has the loop's time, and nobody else waits for it. */
const MAX_PASSES = 2;
/** How long two passes may take. */
const PASSES_LIMIT_MS = 1_800_000;
/** How long a peer is not asked again after passes that led to nothing, doubled each time. */
const REST_MS = 30_000;
const LONGEST_REST_MS = 3_600_000;

/** What synchronizing headers needs. */
export interface HeaderSyncParts extends Pick<SyncParts, 'chain' | 'peers' | 'clock' | 'log' | 'signal'> {
  /** A branch that had too little work at first has shown enough, and is stored. */
  readonly onProven: (peer: Peer) => void;
}

/** The last header that a peer has shown and that is stored. */
export interface Shown {
  readonly peer: Peer;
  readonly record: HeaderRecord;
}

/** What came of an answer. */
type Taken =
  | { readonly kind: 'stored'; readonly record: HeaderRecord }
  /** The rest is ahead of our clock. */
  | { readonly kind: 'early'; readonly record: HeaderRecord | undefined }
  /** Too little work so far, or enough only together with what was shown before. */
  | { readonly kind: 'passed'; readonly pass: Presync };

/**
 * Fetches headers. What has work enough at once is stored at once; what has too little goes through two passes
 * (`presync`), beside everything else, so that whoever makes up headers holds up nobody.
 */
export class HeaderSync {
  readonly #parts: HeaderSyncParts;
  readonly #source: HeaderSource;
  readonly #background: Background;
  readonly #passing = new Set<Peer>();
  /** Peers whose passes led to nothing: their headers cost time, and may be told again and again. */
  readonly #resting = new WeakMap<Peer, { readonly until: number; readonly ms: number }>();

  constructor(parts: HeaderSyncParts) {
    const { peers, clock, log } = parts;
    this.#parts = parts;
    this.#background = new Background(log);
    this.#source = new HeaderSource({ peers, clock, background: this.#background });
  }

  /** Settles once nothing is under way. The node's signal has ended the calls before. */
  async close(): Promise<void> {
    await this.#background.settled();
  }

  /** Whether a peer is being asked for headers already, or has to wait until it is asked again. */
  isBusy(peer: Peer): boolean {
    const { until = 0 } = this.#resting.get(peer) ?? {};
    return this.#passing.has(peer) || this.#source.isAsked(peer) || this.#parts.clock.monotonic() < until;
  }

  /** Fetches headers from the first of several peers that answers, until it has no more. */
  async follow(next: () => Peer | undefined): Promise<Verdict<Shown, string>> {
    const { chain } = this.#parts;
    const base = locatorOf(chain.headers, chain);
    const first = await this.#source.first(next, { locator: base });
    if (!first.ok) return first;
    const { peer } = first.value;
    const claim = new Claim(peer, this.#parts.peers, first.value.claim);
    let { headers } = first.value;
    // A peer that has nothing new may stand on any block of the locator.
    let top = chain.bestHeader.work > chain.tip.work ? chain.bestHeader : chain.tip;
    let shown = chain.headers.get(peer.tip.hash) ?? chain.tip;
    for (let round = 0; round < MAX_ROUNDS && !this.#isStopping(); round++) {
      const taken = headers.length === 0 ? undefined : await this.#take(peer, headers);
      if (taken?.ok === false) return taken;
      if (taken?.value.kind === 'passed')
        return this.#startPasses({ peer, pass: taken.value.pass, claim }, headers.length);
      const record = taken?.value.record;
      if (record !== undefined && record.work > shown.work) shown = record;
      if (taken?.value.kind === 'early') break;
      // Every answer after the first leads further up, or it is one that came before: that could go on for ever.
      const leadsUp = record !== undefined && (round === 0 || record.header.height > top.header.height);
      // On along the peer's own branch, which may have less work than the best header, whose bodies nobody may have.
      if (record !== undefined && leadsUp) top = record;
      if (!leadsUp || headers.length < MAX_HEADERS) {
        if (top.work >= claim.work || claim.work <= chain.tip.work) break;
        const verdict = await claim.verify(top.work);
        if (verdict === 'lied') return refuse('peer-protocol');
        if (verdict === 'holds') break;
      }
      const more = await this.#source.ask(peer, { locator: locatorFrom(top.header.hash, base) });
      if (!more.ok) return more;
      headers = more.value;
    }
    return accept({ peer, record: shown });
  }

  #isStopping(): boolean {
    return this.#parts.signal.aborted;
  }

  /** Judges an answer on its own, and stores it where it has work enough. */
  async #take(peer: Peer, headers: readonly Header[]): Promise<Verdict<Taken, string>> {
    const { chain, peers } = this.#parts;
    let known: HeaderRecord | undefined;
    let start = 0;
    for (; start < headers.length; start++) {
      const record = chain.headers.get(headers[start]?.hash ?? chain.genesis.header.hash);
      if (record === undefined) break;
      known = record;
      await this.#pause(start);
    }
    if (known?.invalid) return this.#charge(peer, reasonOfMark(known));
    const first = headers[start];
    if (first === undefined) return accept({ kind: 'stored', record: known ?? chain.tip });
    const parent = chain.headers.get(first.previous);
    if (parent === undefined) return refuse('header-parent-unknown');
    if (parent.invalid) return this.#charge(peer, reasonOfMark(parent));
    const pass = new Presync(chain.headers.contextOf(parent), chain.params);
    const fresh = headers.slice(start);
    const bad = await this.#check(pass, fresh);
    const passed = bad === undefined ? fresh : fresh.slice(0, bad.place);
    if (passed.length > 0 && chain.gate.checkWork(pass.work).ok) {
      const stored = await this.#store(passed, pass.work);
      if (!stored.ok) return this.#charge(peer, stored.reject);
      known = stored.value;
    } else if (bad === undefined) return accept({ kind: 'passed', pass });
    if (bad === undefined) return accept({ kind: 'stored', record: known ?? parent });
    peers.charge(peer, bad.reject);
    // Ahead of our clock, not wrong: what came before it is worth having, and the timer brings us back.
    return bad.reject.code === 'header-time-future'
      ? accept({ kind: 'early', record: known })
      : refuse(bad.reject.code);
  }

  /** Holds headers against the rules; answers with the first that breaks one. */
  async #check(
    pass: Presync,
    headers: readonly Header[],
  ): Promise<{ readonly place: number; readonly reject: HeaderReject } | undefined> {
    for (const [place, header] of headers.entries()) {
      await this.#pause(place);
      const verdict = pass.check(header, this.#parts.clock.now());
      if (!verdict.ok) return { place, reject: verdict.reject };
    }
    pass.endBatch();
    return undefined;
  }

  /** Stores headers of a branch that is known to have this much work, a few at a time. */
  async #store(headers: readonly Header[], work: bigint): Promise<Verdict<HeaderRecord, HeaderReject>> {
    const { chain } = this.#parts;
    let stored: Verdict<HeaderRecord, HeaderReject> = accept(chain.tip);
    for (let from = 0; from < headers.length; from += SLICE) {
      stored = await chain.submitHeaders(headers.slice(from, from + SLICE), work);
      if (!stored.ok) break;
    }
    return stored;
  }

  /** Starts the two passes over a branch of which the first answer has too little work. */
  #startPasses(
    begun: { readonly peer: Peer; readonly pass: Presync; readonly claim: Claim },
    count: number,
  ): Verdict<never, string> {
    const { peer } = begun;
    if (this.#passing.size >= MAX_PASSES || this.#passing.has(peer)) return refuse('busy');
    this.#passing.add(peer);
    const passes = this.#passes(begun, count).then(
      (isProven) => this.#passed(peer, isProven),
      (error: unknown) => {
        this.#passed(peer, false);
        throw error;
      },
    );
    this.#background.run('fetching headers in two passes', passes);
    return refuse('header-minimum-work');
  }

  #passed(peer: Peer, isProven: boolean): void {
    this.#passing.delete(peer);
    if (isProven) this.#resting.delete(peer);
    else this.#rest(peer);
    if (isProven) this.#parts.onProven(peer);
  }

  #rest(peer: Peer): void {
    const ms = Math.min(2 * (this.#resting.get(peer)?.ms ?? REST_MS / 2), LONGEST_REST_MS);
    this.#resting.set(peer, { until: this.#parts.clock.monotonic() + ms, ms });
  }

  /** Both passes; answers whether the branch is stored now. */
  async #passes(
    { peer, pass, claim }: { readonly peer: Peer; readonly pass: Presync; readonly claim: Claim },
    count: number,
  ): Promise<boolean> {
    const { chain, peers, clock, log } = this.#parts;
    const until = clock.monotonic() + PASSES_LIMIT_MS;
    let hasMore = count === MAX_HEADERS;
    while (!chain.gate.checkWork(pass.work).ok) {
      if (this.#isStopping()) return false;
      if (pass.batches >= MAX_ROUNDS || clock.monotonic() > until) {
        peers.charge(peer, { code: 'timeout', limitMs: PASSES_LIMIT_MS });
        return false;
      }
      if (!hasMore && (claim.work <= chain.tip.work || (await claim.verify(pass.work)) !== 'renewed')) break;
      const { last } = pass;
      const answer = await this.#source.ask(peer, { locator: locatorFrom(last, locatorOf(chain.headers, chain)) });
      if (!answer.ok) return false;
      const [first] = answer.value;
      // Its chain has moved to another branch meanwhile: that is another story, to be begun anew.
      if (first !== undefined && first.previous !== last) return false;
      const bad = await this.#check(pass, answer.value);
      if (bad !== undefined) {
        peers.charge(peer, bad.reject);
        return false;
      }
      hasMore = answer.value.length === MAX_HEADERS;
    }
    const isEnough = chain.gate.checkWork(pass.work).ok;
    log.info('a branch of little work was shown', { peer: peer.url, height: pass.height, isEnough });
    return isEnough && (await this.#secondPass(peer, pass));
  }

  /** Fetches the same headers once more, and stores them; answers whether they were the same. */
  async #secondPass(peer: Peer, pass: Presync): Promise<boolean> {
    const { chain } = this.#parts;
    const second = pass.again();
    for (let { wanted } = second; wanted !== undefined; wanted = second.wanted) {
      if (this.#isStopping()) return false;
      const locator = locatorFrom(wanted.after, locatorOf(chain.headers, chain));
      const answer = await this.#source.ask(peer, { locator, limit: wanted.count });
      // Its chain may have moved on to another branch: that is no lie, and nothing of it is stored.
      if (!answer.ok || !second.take(answer.value)) return false;
      const stored = await this.#store(answer.value, pass.work);
      if (!stored.ok) {
        this.#charge(peer, stored.reject);
        return false;
      }
    }
    return true;
  }

  #charge(peer: Peer, reason: HeaderReject | ReturnType<typeof reasonOfMark>): Verdict<never, string> {
    this.#parts.peers.charge(peer, reason);
    return refuse(reason.code);
  }

  async #pause(place: number): Promise<void> {
    if (place % SLICE === SLICE - 1) await this.#parts.clock.yield();
  }
}
