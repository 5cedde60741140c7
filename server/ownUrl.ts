import { isIP } from 'node:net';
import { TrestleError } from '../shared/errors.js';
import { type PeerUrl, parsePeerUrl } from './net/peerUrl.js';

/** Where others reach a process that listens on host and port; `null` where it listens on every address and none is named. */
export function ownUrlOf(given: string | undefined, host: string, port: number): PeerUrl | null {
  if (given !== undefined) return requirePeerUrl(given);
  if (host === '0.0.0.0' || host === '::') return null;
  return requirePeerUrl(`http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`);
}

/** A peer's URL that the operator typed. Throws `peer-address`. */
export function requirePeerUrl(text: string): PeerUrl {
  const url = parsePeerUrl(text);
  if (url === undefined)
    throw new TrestleError({ code: 'peer-address', url: text, detail: 'not scheme, host and port' });
  return url;
}
