import { checkHeader, checkMinimumWork } from '../../shared/consensus/checkHeader.js';
import type { BlockReject, HeaderReject } from '../../shared/consensus/reject.js';
import type { Header } from '../../shared/model/header.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { Clock } from '../ports.js';
import type { HeaderRecord } from '../store/layout.js';
import { reasonOfMark } from './headerMarks.js';
import type { TipState } from './tipState.js';

/** Judges headers against what is stored, and stores nothing itself. */
export class HeaderGate {
  readonly #state: TipState;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(state: TipState, clock: Pick<Clock, 'now'>) {
    this.#state = state;
    this.#clock = clock;
  }

  /** The verdict on one header alone. One that is known already is not judged again. */
  check(header: Header): Verdict<HeaderRecord, HeaderReject> {
    const { headers, params } = this.#state;
    const known = headers.get(header.hash);
    if (known !== undefined) return accept(known);
    const parent = headers.get(header.previous);
    if (parent?.setAside) return refuse({ code: 'header-set-aside', hash: header.previous });
    const context = parent === undefined ? undefined : headers.contextOf(parent);
    const verdict = checkHeader(header, context, { params, now: this.#clock.now() });
    if (!verdict.ok) return verdict;
    if (parent === undefined) return refuse({ code: 'header-parent-unknown', previous: header.previous });
    return accept(headers.childOf(parent, header));
  }

  /** Whether a branch of this much work is worth storing. */
  checkWork(work: bigint): Verdict<void, HeaderReject> {
    const { params, tip } = this.#state;
    const { minimumWork } = params;
    return checkMinimumWork(work, { minimumWork, tipWork: tip.work, tipBits: tip.header.bits });
  }

  /** Whether a header that somebody announces is worth a look at its block: no mark on it, and work enough. */
  checkAnnounced(header: Header): Verdict<HeaderRecord, HeaderReject | BlockReject> {
    const checked = this.check(header);
    if (!checked.ok) return checked;
    // A block that was found bad before is not worth fetching again, however often it is announced.
    if (checked.value.invalid) return refuse(reasonOfMark(checked.value));
    const isKnown = this.#state.headers.get(header.hash) !== undefined;
    const enough = isKnown ? accept(undefined) : this.checkWork(checked.value.work);
    return enough.ok ? checked : enough;
  }
}
