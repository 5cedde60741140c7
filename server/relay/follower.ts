import { reasonOf } from '../../client/failure.js';
import type { BlockHash, Wtxid } from '../../shared/model/ids.js';
import type { BlockChange, TransactionChange } from '../../shared/rpc/events.js';
import { COMPACT_BLOCKS } from '../net/handshake.js';
import type { Peer } from '../net/peer.js';
import type { Cancel } from '../ports.js';
import type { RelayContext } from './relayContext.js';

/** Peers followed at once: each holds two connections, and they tell the same. */
export const MAX_FOLLOWED = 3;
/** How long a subscription that ended waits before it is opened again: at first, and at most. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** Events that are heard of one peer at once, and within a second. Who tells more is not heard for a while. */
const MAX_EVENTS = 10_000;
const EVENTS_A_SECOND = 5_000;

/** Where news go. */
export interface Listener {
  readonly block: (told: { readonly hash: BlockHash; readonly previous: BlockHash }, peer: Peer) => void;
  readonly transaction: (wtxid: Wtxid, peer: Peer) => void;
}

interface Subscription {
  unsubscribe(): void;
}

/** What follows from what comes over a subscription. */
interface Hearing {
  /** Something came; whether it is to be heard. */
  readonly admits: () => boolean;
  readonly onError: (error: unknown) => void;
  readonly onComplete: () => void;
}

/**
 * Hears what is new from peers that cannot call us: a node that nobody can reach follows the subscriptions of a few of its
 * peers, through the connections it opens itself. What they name is fetched as any announcement is.
 */
export class Follower {
  readonly #context: RelayContext;
  readonly #listener: Listener;
  readonly #followed = new Map<Peer, () => void>();
  readonly #stop: (() => void)[];

  constructor(context: RelayContext, listener: Listener) {
    this.#context = context;
    this.#listener = listener;
    const { events } = context.peers;
    this.#stop = [
      events.on('connected', () => this.#followMore()),
      events.on('dropped', (peer) => {
        this.#end(peer);
        this.#followMore();
      }),
    ];
  }

  close(): void {
    for (const stop of this.#stop) stop();
    for (const peer of [...this.#followed.keys()]) this.#end(peer);
  }

  #followMore(): void {
    const { peers, signal } = this.#context;
    for (const peer of peers.all()) {
      if (this.#followed.size >= MAX_FOLLOWED || signal.aborted) return;
      if (peer.reachesUs || !peer.capabilities.has(COMPACT_BLOCKS) || this.#followed.has(peer)) continue;
      const { block, transaction } = peer.client;
      const ends = [
        this.#keepUp(peer, ({ admits, ...ends }) => {
          const onData = ({ data }: { readonly data: BlockChange }): void => {
            if (admits() && data.kind !== 'disconnected') this.#listener.block(data, peer);
          };
          return block.onChange.subscribe({}, { onData, ...ends });
        }),
        this.#keepUp(peer, ({ admits, ...ends }) => {
          const onData = ({ data }: { readonly data: TransactionChange }): void => {
            if (admits() && data.kind === 'waiting') this.#listener.transaction(data.wtxid, peer);
          };
          return transaction.onChange.subscribe({ kinds: ['waiting'] }, { onData, ...ends });
        }),
      ];
      this.#followed.set(peer, () => {
        for (const end of ends) end();
      });
    }
  }

  #end(peer: Peer): void {
    this.#followed.get(peer)?.();
    this.#followed.delete(peer);
  }

  /** Opens a subscription, and opens it again when it has ended, after a wait that grows while nothing comes. */
  #keepUp(peer: Peer, open: (hearing: Hearing) => Subscription): Cancel {
    const { clock, peers } = this.#context;
    const allowance = new Allowance(clock.monotonic());
    let waitMs = FIRST_WAIT_MS;
    let isOver = false;
    let current: Subscription | undefined;
    let cancel: Cancel = () => {};
    const again = (): void => {
      current?.unsubscribe();
      current = undefined;
      cancel();
      if (isOver) return;
      cancel = clock.after(waitMs, start);
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
    };
    const start = (): void => {
      current = open({
        admits() {
          if (isOver) return false;
          if (!allowance.take(clock.monotonic())) {
            again();
            return false;
          }
          waitMs = FIRST_WAIT_MS;
          return true;
        },
        onError(error) {
          const reason = reasonOf(error);
          // A stream that breaks is no fault: it holds for as long as nothing on the way gives it up.
          if (reason?.code === 'peer-protocol') peers.charge(peer, reason);
          again();
        },
        onComplete: again,
      });
    };
    start();
    return () => {
      isOver = true;
      again();
    };
  }
}

/** How much is heard of one peer: so many at once, and so many each second. */
class Allowance {
  #left = MAX_EVENTS;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  take(now: number): boolean {
    this.#left = Math.min(MAX_EVENTS, this.#left + ((now - this.#at) * EVENTS_A_SECOND) / 1_000);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
