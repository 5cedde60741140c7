import { InvalidArgumentError, Option } from 'commander';
import type * as z from 'zod';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { ADDRESS_BYTES, parseAddress } from '../../shared/model/address.js';
import { type Amount, parseCoins } from '../../shared/model/amount.js';
import { bid } from '../../shared/rpc/fields.js';
import { UsageError } from './output.js';

/** The node that commands talk to unless told otherwise: one on this machine, on the network for trying out. */
export const DEFAULT_URL = `http://127.0.0.1:${NETWORKS.dev.nodePort}`;

/** `--json`, the same everywhere. */
export function jsonOption(): Option {
  return new Option('--json', 'print one JSON object on the last line of standard output');
}

/** `--url`: the node to talk to. */
export function urlOption(): Option {
  return new Option('--url <url>', 'address of the node')
    .default(DEFAULT_URL)
    .env('TRESTLE_URL')
    .argParser(parseHttpUrl);
}

/** An http or https URL. */
export function parseHttpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Nothing that would have to be kept secret: an address is shown in messages and logs.
  const isPlain = url !== undefined && url.username + url.password + url.search + url.hash === '';
  if (isPlain && /^https?:$/.test(url.protocol)) return text.replace(/\/+$/, '');
  throw new InvalidArgumentError('An address such as http://127.0.0.1:42221 is expected.');
}

/** Gathers an option that may be given several times. */
export function collectUrls(text: string, before: readonly string[] = []): string[] {
  return [...before, parseHttpUrl(text)];
}

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`A whole number from ${min} to ${max} is expected.`);
  };
}

/** Coins as people write them, above 0. */
export function parseAmountOption(text: string): Amount {
  const amount = parseCoins(text);
  if (amount !== undefined && amount > 0n) return amount;
  throw new InvalidArgumentError('Coins above 0 with at most eight decimals are expected, such as 1.5.');
}

/** An address; a wrong checksum is refused here, before anything is sent. What is wrong is said, never what would be right. */
export function parseAddressOption(text: string): string {
  if (parseAddress(text) !== undefined) return text;
  throw new InvalidArgumentError(`${whyNoAddress(text)} An address is 0x and 40 hex digits.`);
}

function whyNoAddress(text: string): string {
  const digits = text.replace(/^0x/, '');
  if (!text.startsWith('0x')) return 'It does not begin with 0x.';
  if (!/^[0-9a-fA-F]*$/.test(digits)) return 'It holds a character that is no hex digit.';
  if (digits.length !== 2 * ADDRESS_BYTES) return `It has ${digits.length} digits after 0x.`;
  return 'Its checksum, which is in the case of its letters, does not match: a digit is mistyped, or the case was changed. Copy it again from where it comes from.';
}

/** A block: its height, its hash or `last`. */
export function parseBid(text: string): z.input<typeof bid> {
  const parsed = bid.safeParse(/^\d{1,10}$/.test(text) ? Number(text) : text);
  if (parsed.success) return parsed.data;
  throw new UsageError(`${text} is no block: a height, a hash of 64 hex digits, or "last" is expected`);
}
