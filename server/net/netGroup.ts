import { isIP } from 'node:net';
import { addressKey } from './addressKey.js';
import { hostOf, type PeerUrl } from './peerUrl.js';

/** The network group of a URL: a /16 of IPv4, a /32 of IPv6, the name where it names none. */
export function groupOf(url: PeerUrl): string {
  const host = hostOf(url);
  switch (isIP(host)) {
    case 4:
      return host.split('.').slice(0, 2).join('.');
    case 6:
      return addressKey(host).split(':').slice(0, 2).join(':');
    default:
      return host;
  }
}
