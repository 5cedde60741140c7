import { isIP } from 'node:net';
import { TrestleError } from '../../shared/errors.js';
import type { PeerApi, PeerView } from '../../shared/rpc/nodeSchemas.js';
import { addressKey } from '../net/addressKey.js';
import { type Ban, type Bans, BY_OPERATOR } from '../net/bans.js';
import { banOn } from '../net/banTargets.js';
import { groupOf } from '../net/netGroup.js';
import type { Peer } from '../net/peer.js';
import type { PeerBook } from '../net/peerBook.js';
import type { Peers } from '../net/peers.js';
import { hostOf, type PeerUrl, parsePeerUrl } from '../net/peerUrl.js';

const MINUTE_MS = 60_000;

/** What the operator's calls work on. */
export interface OperatorParts {
  readonly book: PeerBook;
  readonly bans: Bans;
  /** The sessions of a full node; `null` where there is but a book. */
  readonly peers: Peers | null;
  readonly ownUrl: () => PeerUrl | null;
}

type OperatorCalls = Pick<PeerApi, 'add' | 'remove' | 'ban' | 'unban' | 'peers'>;

/** What an operator may say about other nodes. */
export function operatorCalls({ book, bans, peers, ownUrl }: OperatorParts): OperatorCalls {
  return {
    async add(input) {
      const url = urlIn(input.url);
      if (url === ownUrl()) throw new TrestleError({ code: 'peer-self' });
      const ban = banOn(bans, url);
      if (ban !== undefined) throw new TrestleError({ code: 'peer-banned', target: ban.target, until: ban.until });
      const known = book.get(url) !== undefined;
      peers?.forgive(url);
      await book.keep(url);
      peers?.seek(url);
      return { url, known };
    },
    async remove(input) {
      const url = urlIn(input.url);
      const known = book.get(url) !== undefined;
      await book.dismiss(url);
      return { url, known, connected: peers?.leave(url) ?? false };
    },
    async ban({ url, address, minutes }) {
      const ban = bans.ban(targetOf({ url, address }), minutes * MINUTE_MS, BY_OPERATOR);
      peers?.leaveBanned(ban);
      return viewOf(ban);
    },
    async unban(input) {
      const target = targetOf(input);
      peers?.forgive(target);
      return { target, lifted: bans.lift(target) };
    },
    peers: async () => ({
      peers: peers === null ? [] : peers.all().map((peer) => viewOfPeer(peer, peers)),
      bans: bans.all().map(viewOf),
    }),
  };
}

function urlIn(text: string): PeerUrl {
  const url = parsePeerUrl(text);
  if (url === undefined)
    throw new TrestleError({ code: 'peer-address', url: text, detail: 'not scheme, host and port' });
  return url;
}

function targetOf({ url, address }: { url?: string | undefined; address?: string | undefined }): string {
  return address === undefined ? urlIn(url ?? '') : addressKey(address);
}

function viewOf({ target, until, why }: Ban): Ban {
  return { target, until: Math.floor(until), why };
}

function viewOfPeer(peer: Peer, peers: Peers): PeerView {
  const { url, sought, since, tip, userAgent, protocol, contract, capabilities } = peer;
  const host = hostOf(url);
  return {
    ...{ url, sought, since, height: tip.height, userAgent, protocol, contract, capabilities: [...capabilities] },
    points: Number(peers.pointsOf(url).toFixed(1)),
    address: isIP(host) === 0 ? null : host,
    group: groupOf(url),
  };
}
