import { checkHeader, contextAfter, type ParentContext } from '../../shared/consensus/checkHeader.js';
import type { NetworkParams } from '../../shared/consensus/params.js';
import type { HeaderReject } from '../../shared/consensus/reject.js';
import type { Header } from '../../shared/model/header.js';
import type { BlockHash } from '../../shared/model/ids.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';

/** Where a batch of the first pass ended, and how many headers it had. */
interface BatchEnd {
  readonly last: BlockHash;
  readonly count: number;
}

/**
 * The first of two passes over headers whose branch has yet to show that it has work enough to be stored: headers of the
 * easiest target are cheap to make by the million (CVE-2019-25220). Each is held against every rule, and all that stays
 * of it is what judges the next one, and the hash at the end of each batch: some hundred bytes for 2,000 headers.
 *
 * Bitcoin Core (`headerssync.h`) keeps a salted bit of every 600th header or so, because its second pass must not have to
 * trust whole ranges to one hash at their end that it would see only after storing what is below. Here a batch is held
 * in memory until its end is known, and headers name their parents by hash: the same end is the same batch.
 *
 * Pure: the time is an argument, and whoever fetches yields. Bound: one context and one end for each batch.
 */
export class Presync {
  readonly #params: NetworkParams;
  readonly #start: BlockHash;
  readonly #ends: BatchEnd[] = [];
  #context: ParentContext;
  #inBatch = 0;

  constructor(start: ParentContext, params: NetworkParams) {
    this.#params = params;
    this.#start = start.hash;
    this.#context = start;
  }

  /** The work of the branch up to the last header that passed. */
  get work(): bigint {
    return this.#context.work;
  }

  /** The last header that passed; in the beginning the one that all stand on. */
  get last(): BlockHash {
    return this.#context.hash;
  }

  get height(): number {
    return this.#context.height;
  }

  get batches(): number {
    return this.#ends.length;
  }

  /** Judges the next header. One that is refused changes nothing. */
  check(header: Header, now: number): Verdict<void, HeaderReject> {
    const parent = this.#context;
    if (header.previous !== parent.hash) return refuse({ code: 'header-parent-unknown', previous: header.previous });
    const verdict = checkHeader(header, parent, { params: this.#params, now });
    if (!verdict.ok) return verdict;
    this.#context = contextAfter(parent, header);
    this.#inBatch += 1;
    return accept(undefined);
  }

  /** Notes where a batch ended: the second pass has to end there, too. */
  endBatch(): void {
    if (this.#inBatch > 0) this.#ends.push({ last: this.#context.hash, count: this.#inBatch });
    this.#inBatch = 0;
  }

  /** The second pass over the same headers, from where they began. */
  again(): SecondPass {
    return new SecondPass(this.#start, this.#ends);
  }
}

/** What the second pass fetches next. */
export interface BatchWanted {
  readonly after: BlockHash;
  readonly count: number;
}

/** The second pass: the same headers once more, batch by batch, and this time they may be stored. */
export class SecondPass {
  readonly #ends: readonly BatchEnd[];
  #after: BlockHash;
  #done = 0;

  constructor(start: BlockHash, ends: readonly BatchEnd[]) {
    this.#after = start;
    this.#ends = ends;
  }

  /** `undefined` once all have come. */
  get wanted(): BatchWanted | undefined {
    const end = this.#ends[this.#done];
    return end && { after: this.#after, count: end.count };
  }

  /** Whether a batch is the one that came before, header by header: each names the one below it, and the end is known. */
  take(headers: readonly Header[]): boolean {
    const end = this.#ends[this.#done];
    if (end === undefined || headers.length !== end.count || headers.at(-1)?.hash !== end.last) return false;
    let previous = this.#after;
    for (const header of headers) {
      if (header.previous !== previous) return false;
      previous = header.hash;
    }
    this.#after = end.last;
    this.#done += 1;
    return true;
  }
}
