import type { BlockHash } from '../../shared/model/ids.js';
import { MAX_NODES, type PeerApi, PROTOCOL_VERSION } from '../../shared/rpc/nodeSchemas.js';
import type { TipView } from '../../shared/rpc/views.js';
import type { Bans } from '../net/bans.js';
import { CONTRACT, introduction, type OwnNonces } from '../net/handshake.js';
import type { PeerBook } from '../net/peerBook.js';
import type { Peers } from '../net/peers.js';
import type { PeerUrl } from '../net/peerUrl.js';
import type { Reception } from '../net/reception.js';
import type { Clock } from '../ports.js';
import { operatorCalls } from './operatorCalls.js';

/** How long a node that was told to stop goes on, so that its answer gets out. */
const STOP_DELAY_MS = 50;

/** What the `node` router works on, for full nodes and directory servers alike. */
export interface PeerApiParts {
  readonly name: string;
  readonly network: string;
  readonly genesis: BlockHash;
  readonly tip: () => TipView;
  readonly ownUrl: () => PeerUrl | null;
  readonly signatureEngine: string;
  readonly book: PeerBook;
  readonly reception: Reception;
  readonly nonces: OwnNonces;
  /** The sessions of a full node; `null` where there is but a book. */
  readonly peers: Peers | null;
  readonly bans: Bans;
  /** The height a node was last seen at, while there is a session with it. */
  readonly heightOf: (url: PeerUrl) => TipView['height'] | undefined;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  readonly stop: () => void;
}

/** Answers the `node` router. */
export function createPeerApi(parts: PeerApiParts): PeerApi {
  const startedAt = parts.clock.now();
  return {
    self: async () => ({
      name: parts.name,
      ...introduction(PROTOCOL_VERSION),
      contract: CONTRACT,
      network: parts.network,
      genesis: parts.genesis,
      url: parts.ownUrl(),
      tip: parts.tip(),
      startedAt,
      signatureEngine: parts.signatureEngine,
    }),
    list: async () => ({
      nodes: parts.book
        .reached()
        .slice(0, MAX_NODES)
        .map(({ url, lastSeen }) => {
          const height = parts.heightOf(url) ?? null;
          return { url, lastSeen, connected: height !== null, height };
        }),
    }),
    random: async ({ count }) => ({ urls: parts.book.sample(count) }),
    ping: async () => ({ genesis: parts.genesis, tip: parts.tip(), time: parts.clock.now() }),
    hello: (input, caller) => parts.reception.hello(input, caller),
    confirm: async ({ nonce }) => ({ mine: parts.nonces.has(nonce) }),
    ...operatorCalls(parts),
    stop: async () => {
      parts.clock.after(STOP_DELAY_MS, parts.stop);
      return { stopping: true };
    },
  };
}
