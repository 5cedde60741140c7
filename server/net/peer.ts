import type { TipView } from '../../shared/rpc/views.js';
import type { Greeted } from './greeter.js';

/** A node this one has a session with. */
export interface Peer extends Omit<Greeted, 'tip'> {
  /** Whether we sought it; the others sought us. */
  readonly sought: boolean;
  /** What it last said of its chain. */
  tip: TipView;
  /** Calls in a row that brought nothing. */
  missed: number;
}

/** What others learn about peers. */
export interface PeerEvents {
  connected: Peer;
  dropped: Peer;
  /** A peer said something of its tip. */
  tip: Peer;
}
