import { fromHex, toHex } from '../bytes/hex.js';
import { keccak256 } from '../crypto/hash.js';
import type { Branded } from './brand.js';

/**
 * Who owns a coin: the last 20 bytes of the keccak256 of an uncompressed public key, as Ethereum has it. This is the
 * form inside: `0x` and lower-case hex, so that addresses compare as text without a hash for each.
 */
export type Address = Branded<string, 'Address'>;
/** The same address as people see it: upper and lower case carry the checksum of EIP-55. */
export type ChecksumAddress = Branded<string, 'ChecksumAddress'>;

/** What stands before the digits of an address. */
export const HEX_PREFIX = '0x';
/** Bytes in an address. */
export const ADDRESS_BYTES = 20;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** The address of a 65-byte uncompressed public key. */
export function addressOfPublicKey(publicKey: Uint8Array): Address {
  if (publicKey.length !== 65) throw new RangeError(`an uncompressed public key has 65 bytes, not ${publicKey.length}`);
  return addressFromBytes(keccak256(publicKey.subarray(1)).subarray(12));
}

/** The address that 20 bytes spell. */
export function addressFromBytes(bytes: Uint8Array): Address {
  if (bytes.length !== ADDRESS_BYTES) throw new RangeError(`an address has 20 bytes, not ${bytes.length}`);
  return `0x${toHex(bytes)}` as Address;
}

/** The 20 bytes of an address. */
export function addressBytes(address: Address): Uint8Array {
  return fromHex(address.slice(2));
}

/** The address with its EIP-55 checksum: a digit's letter is upper case where the hash of the text says so. */
export function formatAddress(address: Address): ChecksumAddress {
  const digits = address.slice(2);
  const hash = toHex(keccak256(new TextEncoder().encode(digits)));
  let text = '0x';
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charAt(i);
    text += Number.parseInt(hash.charAt(i), 16) >= 8 ? digit.toUpperCase() : digit;
  }
  return text as ChecksumAddress;
}

/**
 * Reads an address that somebody typed: all lower case is taken as it is, anything else must match its checksum, which
 * finds all but about one in four thousand slips of the finger.
 */
export function parseAddress(text: string): Address | undefined {
  if (!ADDRESS.test(text)) return undefined;
  const address = text.toLowerCase() as Address;
  return text === address || text === formatAddress(address) ? address : undefined;
}
