import type { BlockReject, HeaderReject } from '../../shared/consensus/reject.js';
import type { Write } from '../store/kv.js';
import type { HeaderRecord } from '../store/layout.js';
import type { TipState } from './tipState.js';

/** Headers that one commit marks: a quarter of a megabyte. */
export const MARK_WINDOW = 1_024;

/** Why the chain must do without a block. */
export type Mark = 'invalid' | 'set-aside';

/** Why a block is refused that has been marked before. */
export function reasonOfMark({ header, setAside }: HeaderRecord): HeaderReject | BlockReject {
  return { code: setAside ? 'header-set-aside' : 'block-known-invalid', hash: header.hash };
}

/**
 * Marks headers the chain must not stand on, and takes such marks off. Invariant, after every single commit: whatever
 * stands on a marked header is marked too. So marks are put from the top down and taken off from the bottom up, a
 * window at a time, however many blocks stand on the one in question.
 */
export class HeaderMarks {
  readonly #state: TipState;

  constructor(state: TipState) {
    this.#state = state;
  }

  /** Marks a header and all that stands on it, so that none of it is tried again. The header may be new here. */
  async mark(record: HeaderRecord, mark: Mark): Promise<void> {
    const { headers } = this.#state;
    const marks = { invalid: true, setAside: mark === 'set-aside' };
    const isKnown = headers.get(record.header.hash) !== undefined;
    for (const tip of isKnown ? this.#tipsAbove(record) : []) await this.#markDown(tip, record, marks);
    const marked = { ...record, ...marks };
    await this.#state.commit(isKnown ? [headers.update(marked)] : headers.addition(marked));
    this.#state.noteMarks();
  }

  /** Takes the marks off a header, what it stands on and what stands on it: all of it may be tried again. */
  async clear(record: HeaderRecord): Promise<void> {
    const { headers } = this.#state;
    let lowest = record;
    for (let at = record; at.invalid; at = headers.require(at.header.previous)) lowest = at;
    for (const tip of this.#tipsAbove(record)) await this.#clearUp(headers.require(lowest.header.previous), tip);
    this.#state.noteMarks();
  }

  #tipsAbove(record: HeaderRecord): HeaderRecord[] {
    const { headers } = this.#state;
    return [...headers.tips()].filter((tip) => headers.descends(tip, record));
  }

  /** Marks from a tip down to above `end`. What is marked already stays as it is. */
  async #markDown(
    tip: HeaderRecord,
    end: HeaderRecord,
    marks: Pick<HeaderRecord, 'invalid' | 'setAside'>,
  ): Promise<void> {
    const { headers } = this.#state;
    let writes: Write[] = [];
    for (let at = tip; at.header.height > end.header.height; at = headers.require(at.header.previous)) {
      if (!at.invalid) writes.push(headers.update({ ...at, ...marks }));
      if (writes.length < MARK_WINDOW) continue;
      await this.#state.commit(writes);
      writes = [];
    }
    if (writes.length > 0) await this.#state.commit(writes);
  }

  /** Clears from above `start` up to a tip. */
  async #clearUp(start: HeaderRecord, tip: HeaderRecord): Promise<void> {
    const { headers } = this.#state;
    for (let at = start; at.header.height < tip.header.height; ) {
      const top = headers.ancestor(tip, Math.min(at.header.height + MARK_WINDOW, tip.header.height));
      const marked = headers.path(at, top).filter(({ invalid }) => invalid);
      const writes = marked.map((each) => headers.update({ ...each, invalid: false, setAside: false }));
      if (writes.length > 0) await this.#state.commit(writes);
      at = top;
    }
  }
}
