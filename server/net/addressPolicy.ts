import { BlockList, isIP } from 'node:net';

/**
 * Ranges that no stranger may send us to: a peer's URL is a request that this machine makes, and these lead into the
 * machine itself or into the network around it (server-side request forgery). From the special-purpose registries of
 * RFC 6890.
 */
const PRIVATE = new BlockList();
const PRIVATE_IPV4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  // Relays of 6to4, long out of use (RFC 7526).
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const;
const PRIVATE_IPV6 = [
  // The unspecified address, loopback, and IPv4 in its old embedding.
  ['::', 96],
  // IPv4 translated by whoever stands in between, private addresses too (RFC 2765, RFC 6052, RFC 8215).
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  // Assignments for protocols; Teredo among them leads to any IPv4 address.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4 leads to any IPv4 address, private ones too.
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const;
for (const [network, prefix] of PRIVATE_IPV4) {
  PRIVATE.addSubnet(network, prefix, 'ipv4');
  // The same network written as an IPv6 address reaches the same host.
  PRIVATE.addSubnet(`::ffff:${network}`, 96 + prefix, 'ipv6');
}
for (const [network, prefix] of PRIVATE_IPV6) PRIVATE.addSubnet(network, prefix, 'ipv6');

/** Whether an IP address leads into this machine or a private network. Text that is no IP address counts as private. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  return family === 0 || PRIVATE.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** IPv4 within IPv6, as a URL spells it: its last 32 bits are two groups of hex digits. */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;

/**
 * An IP address in its plain form: IPv4 that came over an IPv6 socket, or was written that way, looks like IPv4 again; a
 * zone, which only says by which of this machine's own links it came, is left out.
 */
export function plainAddress(address: string): string {
  const [bare = ''] = address.split('%');
  const [, high, low] = MAPPED.exec(bare) ?? [];
  if (high !== undefined && low !== undefined)
    return [high, low]
      .flatMap((digits) => [Number.parseInt(digits, 16) >> 8, Number.parseInt(digits, 16) & 255])
      .join('.');
  return /^::ffff:[0-9.]+$/i.test(bare) ? bare.slice('::ffff:'.length) : bare;
}
