import type { CompactBlock } from '../../shared/model/compactBlock.js';

/** Peers noted for one block. */
export const MAX_OFFERS = 8;

/** A peer that has a block, and the short form it sent, if it did. */
export interface Offer<Source> {
  readonly source: Source;
  readonly compact: CompactBlock | undefined;
}

/** What to do next to come by a block: put it together from a short form, or fetch it whole. */
export type Step<Source> =
  | { readonly kind: 'rebuild'; readonly source: Source; readonly compact: CompactBlock }
  /** `isVouched`: by announcing it without a short form the peer says that it has connected the block itself. */
  | { readonly kind: 'whole'; readonly source: Source; readonly isVouched: boolean };

/**
 * How to come by one announced block: one peer is asked at a time, and the next that announced it when that one fails. Of
 * each the short form is tried first, where it sent one, and the whole block when that leads nowhere; each way of each
 * peer once. Pure bookkeeping.
 */
export class BlockPlan<Source> {
  /** Who announced it first. */
  readonly first: Offer<Source>;
  readonly #steps: Step<Source>[] = [];
  /** Who announced it, and whether by its header alone. */
  readonly #sources = new Map<Source, boolean>();
  #last: Step<Source> | undefined;

  constructor(first: Offer<Source>) {
    this.first = first;
    this.announced(first);
  }

  /** Every peer that announced it. */
  get sources(): Iterable<Source> {
    return this.#sources.keys();
  }

  /** Those that announced it by its header alone: they say that they have connected it. */
  get vouchers(): Iterable<Source> {
    return [...this.#sources].filter(([, isVouched]) => isVouched).map(([source]) => source);
  }

  /** Another peer has the block. What one peer says a second time is not heard. */
  announced({ source, compact }: Offer<Source>): void {
    if (this.#sources.size >= MAX_OFFERS || this.#sources.has(source)) return;
    this.#sources.set(source, compact === undefined);
    this.#steps.push(
      compact === undefined ? { kind: 'whole', source, isVouched: true } : { kind: 'rebuild', source, compact },
    );
  }

  /** What to do now, once the step before has failed. `undefined` where nobody is left to ask. */
  next(): Step<Source> | undefined {
    this.#last = this.#steps.shift();
    return this.#last;
  }

  /** The short form led to no block, and its sender is not to blame: the same peer is asked for all of it next. */
  spoiled(): void {
    const last = this.#last;
    this.#last = undefined;
    if (last?.kind === 'rebuild') this.#steps.unshift({ kind: 'whole', source: last.source, isVouched: false });
  }

  /** A peer is gone: it will not be asked. */
  dropped(source: Source): void {
    const position = this.#steps.findIndex((step) => step.source === source);
    if (position >= 0) this.#steps.splice(position, 1);
  }
}
