import { workWith } from '../../../../shared/consensus/checkHeader.js';
import type { Header } from '../../../../shared/model/header.js';
import { GENESIS_HEIGHT } from '../../../../shared/model/height.js';
import type { BlockHash } from '../../../../shared/model/ids.js';
import type { TipView } from '../../../../shared/rpc/views.js';

/** A chain that somebody claims to have, header by header from the block after genesis. Bodies are another matter. */
export class FeignedChain {
  readonly #genesis: Header;
  readonly #headers: readonly Header[];
  readonly #places: ReadonlyMap<BlockHash, number>;
  readonly tip: TipView;

  constructor(genesis: Header, headers: readonly Header[]) {
    this.#genesis = genesis;
    this.#headers = headers;
    this.#places = new Map(headers.map(({ hash }, place) => [hash, place]));
    const { hash } = headers.at(-1) ?? genesis;
    const work = headers.reduce(workWith, 0n);
    this.tip = { height: headers.at(-1)?.height ?? GENESIS_HEIGHT, hash, work };
  }

  /** The headers after the first hash of a locator that is on this chain, as an honest node finds them on its own. */
  after(locator: readonly BlockHash[], limit: number): readonly Header[] {
    for (const hash of locator) {
      const place = hash === this.#genesis.hash ? -1 : this.#places.get(hash);
      if (place !== undefined) return this.#headers.slice(place + 1, place + 1 + limit);
    }
    return this.#headers.slice(0, limit);
  }

  /** The hashes from a block of this chain on; none where the block is not on it. */
  from(hash: BlockHash, count: number): readonly BlockHash[] {
    const place = this.#places.get(hash);
    return place === undefined ? [] : this.#headers.slice(place, place + count).map((header) => header.hash);
  }
}
