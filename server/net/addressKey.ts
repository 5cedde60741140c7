import { isIP } from 'node:net';
import { plainAddress } from './addressPolicy.js';

/** Groups of an IPv6 address that one customer of a provider holds at the least: a /64. */
const IPV6_GROUPS = 4;

/**
 * What bans and quotas take for one address: the address itself, and of IPv6 the /64 it is in, for whoever has one of
 * these addresses has them all. Text that is no address stays what it is.
 */
export function addressKey(address: string): string {
  const plain = plainAddress(address.split('%', 1)[0] ?? '');
  if (isIP(plain) !== 6) return plain;
  const canonical = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  const [front = '', back] = canonical.split('::');
  const groups = front === '' ? [] : front.split(':');
  const tail = back === undefined || back === '' ? [] : back.split(':');
  while (back !== undefined && groups.length + tail.length < 8) groups.push('0');
  return `${[...groups, ...tail].slice(0, IPV6_GROUPS).join(':')}::/64`;
}
