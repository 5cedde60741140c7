import { isIP } from 'node:net';
import type { PeerSession } from '../../shared/rpc/trpc.js';
import { addressKey } from './addressKey.js';
import type { Ban, Bans } from './bans.js';
import { hostOf, type PeerUrl, parsePeerUrl } from './peerUrl.js';

/** The ban that keeps a caller or a peer out: on its URL, on the address in that, or on the one it calls from. */
export function banOn(bans: Bans, url: string | null, remoteAddress?: string): Ban | undefined {
  const targets = url === null ? [] : [url, ...addressIn(url)];
  if (remoteAddress !== undefined) targets.push(addressKey(remoteAddress));
  for (const target of targets) {
    const ban = bans.find(target);
    if (ban !== undefined) return ban;
  }
  return undefined;
}

/**
 * What a peer is banned by: its URL, which answered a call of ours, and the addresses that are surely its own: the one
 * in its URL, and those from which it opened sessions. Not what its name resolves to: whoever holds a name can point it at
 * an honest node. An address that many nodes share is left out.
 */
export function whatToBan(
  url: PeerUrl,
  sessions: readonly PeerSession[],
  isShared: (address: string) => boolean,
): string[] {
  const host = hostOf(url);
  const addresses = [...(isIP(host) === 0 ? [] : [host]), ...sessions.map(({ remoteAddress }) => remoteAddress)];
  return [url, ...new Set(addresses.filter((address) => !isShared(address)).map(addressKey))];
}

function addressIn(url: string): string[] {
  const parsed = parsePeerUrl(url);
  const host = parsed === undefined ? '' : hostOf(parsed);
  return isIP(host) === 0 ? [] : [addressKey(host)];
}
