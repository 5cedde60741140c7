import { isIP } from 'node:net';
import { addressKey } from './addressKey.js';
import { isPrivateAddress, plainAddress } from './addressPolicy.js';
import { hostOf, type PeerUrl } from './peerUrl.js';

/**
 * A part of the network that one operator is likely to have as a whole. Addresses in many of them are dear, addresses in
 * one are cheap, so groups and not addresses are counted (Heilman et al. 2015, "Eclipse Attacks on Bitcoin's Peer-to-Peer
 * Network").
 */
export type NetGroup = string;

/** Names that lead nowhere but into the network around this machine (RFC 6761, RFC 6762, RFC 8375). */
const LOCAL_NAMES = /(?:^|\.)(?:localhost|local|internal|lan|home\.arpa)$/;

/**
 * The group of a peer's URL: an IPv4 address by its first 16 bits, an IPv6 address by its first 32, a name by its last
 * two labels. What is private or local is a group of its own with each host and port, so that whole networks can be run
 * on one machine; it is dialled only where that is allowed.
 */
export function groupOf(url: PeerUrl): NetGroup {
  const host = hostOf(url);
  if (isIP(host) !== 0) return isPrivateAddress(host) ? privateGroup(url) : groupOfAddress(host);
  const labels = host.split('.');
  return labels.length < 2 || LOCAL_NAMES.test(host) ? privateGroup(url) : `name:${labels.slice(-2).join('.')}`;
}

/** The group of an IP address that somebody called from. */
export function groupOfAddress(address: string): NetGroup {
  const plain = plainAddress(address);
  if (isPrivateAddress(plain)) return `private:${plain}`;
  if (isIP(plain) === 4) return `v4:${plain.split('.').slice(0, 2).join('.')}`;
  return `v6:${addressKey(plain).split(':').slice(0, 2).join(':')}`;
}

/** Whether an address of this group may be called by everybody. */
export function isPublicGroup(group: NetGroup): boolean {
  return !group.startsWith('private:');
}

/** Whether the group is that of a name, which costs less than a network of addresses. */
export function isNamedGroup(group: NetGroup): boolean {
  return group.startsWith('name:');
}

function privateGroup(url: PeerUrl): NetGroup {
  return `private:${new URL(url).host}`;
}
