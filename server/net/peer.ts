import type { TipView } from '../../shared/rpc/views.js';
import type { Greeted } from './greeter.js';

/** A node this one has a session with. */
export interface Peer extends Omit<Greeted, 'tip'> {
  /** Whether we sought it; the others sought us. */
  readonly sought: boolean;
  /** When the session began, in milliseconds since 1970, and by the clock that only goes forward. */
  readonly since: number;
  readonly sinceTick: number;
  /** What it last said of its chain. */
  tip: TipView;
  /** Calls in a row that brought nothing. */
  missed: number;
  /** When it last brought something new and valid, by the clock that only goes forward; `null` where it never has. */
  usefulAt: number | null;
}

/** What others learn about peers. */
export interface PeerEvents {
  connected: Peer;
  dropped: Peer;
  /** A peer said something of its tip. */
  tip: Peer;
  /** A peer has been banned for what it sent. */
  banned: { readonly url: string; readonly why: string };
}
