import { parseBase64, toBase64 } from '../../shared/bytes/base64.js';
import type { Dice } from './dice.js';
import { Raw } from './wire.js';

/** Names that reach into objects, or are long, or are not there. */
const KEYS = ['extra', '__proto__', 'constructor', 'prototype', 'toString', '', '.', 'a.b', '0', 'length', 'json'];

/** Texts that were trouble elsewhere: paths, other spellings of numbers, URLs that carry more than an address. */
const TEXTS = [
  ...['', ' ', '\0', '../blocks/0', '../../../../etc/passwd', '..\\blocks\\0', '/0/transactions/0', 'last ', 'LAST'],
  ...['1e3', '3.0', '-1', '0x10', 'NaN', 'Infinity', '__proto__', '٣', '\ud800', '\u{1f4a5}', '%00'],
  ...['9'.repeat(81), '9'.repeat(5_000), '-', '1'.repeat(79), 'f'.repeat(64), '0'.repeat(64), 'F'.repeat(64)],
  ...[
    '0x',
    `0x${'0'.repeat(40)}`,
    `0x${'F'.repeat(40)}`,
    '====',
    'AAAA',
    'AAA',
    'AAAA\n',
    '"><script>',
    'a'.repeat(257),
  ],
];
const LONG = [5_000, 60_000, 200_000];
const URLS = [
  ...['http://127.0.0.1:1', 'http://127.0.0.1:1/x?#', 'http://user:secret@127.0.0.1:1', 'http://127.0.0.1:1#a', '//x'],
  ...['http://[::1]:1', 'http://[::ffff:127.0.0.1]:1', 'http://2130706433:1', 'http://0x7f.1:1', 'http://0177.0.0.1:1'],
  ...['http://localhost:1', 'http://0.0.0.0:1', 'file:///etc/passwd', 'ftp://127.0.0.1', 'javascript:1', 'http://'],
  ...[
    'http://127.0.0.1:0',
    'http://127.0.0.1:65536',
    'https://127.0.0.1:1',
    'http://192.0.2.1:1',
    'http://[2001:db8::1]:1',
  ],
  ...[
    'http://127.0.0.1:1\r\nx: y',
    'http://a..b:1',
    'http://%31%32:1',
    `http://${'a'.repeat(180)}:1`,
    'http://127.0.0.1:1/',
  ],
];
const NUMBERS = [
  0,
  -1,
  1,
  1.5,
  3,
  255,
  256,
  65_535,
  65_536,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 64,
];
const RAW = ['1e3', '3.0', '1e400', '-1e400', '-0', '1E-7', '0.1e1', '9'.repeat(400), '1'.repeat(60_000), '{"a":{}}'];
const BIGINTS = [0n, -1n, 1n, 2n ** 53n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 256n, 2n ** 264n, 10n ** 79n, -(10n ** 79n)];
/** What a list may be full of without a body of gigabytes. */
const SMALL = [null, 0, -1, 1.5, '', 'x', {}, [], true, 1n];
const DEPTHS = [31, 32, 33, 1_000, 50_000];

/** A value that is nothing in particular, and hostile. */
export function hostileValue(dice: Dice): unknown {
  switch (dice.below(10)) {
    case 0:
      return dice.pick([null, undefined, true, false]);
    case 1:
      return dice.pick(NUMBERS);
    case 2:
      return new Raw(dice.pick(RAW));
    case 3:
      return dice.pick(BIGINTS);
    case 4:
      return dice.pick(URLS);
    case 5:
      return dice.pick(['x', '\0', '"', '\u2028', 'é']).repeat(dice.pick(LONG) / 6);
    case 6:
      return dice.pick([[], {}, [[]], [null], { length: 1e9 }, Array(2_000).fill('x'), Array(2_000).fill(0)]);
    case 7:
      return nested(dice);
    default:
      return dice.pick(TEXTS);
  }
}

/** The value with one to three changes, each at a place of its own. */
export function mutate(value: unknown, dice: Dice): unknown {
  let result = value;
  for (let left = 1 + Number(dice.chance(0.3)) + Number(dice.chance(0.1)); left > 0; left--)
    result = change(result, dice);
  return result;
}

function change(value: unknown, dice: Dice): unknown {
  const isBranch = typeof value === 'object' && value !== null && !(value instanceof Raw);
  if (!isBranch || dice.chance(0.05)) return changeLeaf(value, dice);
  if (Array.isArray(value)) return changeList(value, dice);
  const entries = Object.entries(value);
  const at = dice.below(Math.max(entries.length, 1));
  switch (dice.below(6)) {
    case 0:
      return Object.fromEntries(entries.filter((_, i) => i !== at));
    case 1:
      return Object.fromEntries([...entries, [someKey(dice), hostileValue(dice)]]);
    default:
      return Object.fromEntries(entries.map(([key, field], i) => [key, i === at ? change(field, dice) : field]));
  }
}

function changeList(list: readonly unknown[], dice: Dice): unknown {
  const at = dice.below(Math.max(list.length, 1));
  switch (dice.below(5)) {
    case 0:
      return list.filter((_, i) => i !== at);
    case 1:
      return [...list, hostileValue(dice)];
    case 2:
      if (typeof list[at] !== 'string' || list[at].length > 100) return [...list, ...list];
      // Many of the same: each limit on a list is met from both sides.
      return Array(dice.pick([32, 33, 64, 65, 1_000, 1_001])).fill(dice.chance(0.5) ? list[at] : dice.pick(SMALL));
    default:
      return list.map((item, i) => (i === at ? change(item, dice) : item));
  }
}

function changeLeaf(value: unknown, dice: Dice): unknown {
  if (dice.chance(0.3)) return hostileValue(dice);
  if (typeof value === 'string') return changeText(value, dice);
  if (typeof value === 'number')
    return dice.pick([...NUMBERS, value + 0.5, -value, String(value), BigInt(Math.trunc(value))]);
  if (typeof value === 'bigint') return dice.pick([...BIGINTS, -value, String(value), Number(value)]);
  return hostileValue(dice);
}

function changeText(text: string, dice: Dice): unknown {
  // A URL is replaced as a whole: a digit more or less would have the node call whoever listens there on this machine.
  if (text.includes('://')) return dice.pick(URLS);
  const bytes = text.length > 64 && dice.chance(0.85) ? parseBase64(text) : undefined;
  if (bytes !== undefined) return toBase64(changeBytes(bytes, dice));
  const at = dice.below(text.length + 1);
  switch (dice.below(5)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return `${text}${dice.pick(TEXTS)}`;
    case 2:
      return dice.chance(0.5) ? text.toUpperCase() : ` ${text}`;
    case 3:
      return dice.pick(TEXTS);
    default:
      return `${text.slice(0, at)}${dice.pick(['0', 'f', 'g', '\0', '/', '='])}${text.slice(at + 1)}`;
  }
}

/** Bytes of a codec of ours with something wrong: flipped, cut, lengthened, a number in a longer form, a huge claim. */
export function changeBytes(bytes: Uint8Array, dice: Dice): Uint8Array {
  if (bytes.length === 0) return dice.bytes(dice.below(9));
  const at = dice.below(bytes.length);
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (dice.below(8)) {
    case 0:
      return head;
    case 1:
      return Uint8Array.of(...bytes, ...dice.bytes(1 + dice.below(64)));
    case 2:
      // A one-byte number in two bytes, should one stand here.
      return Uint8Array.of(...head, (tail[0] ?? 0) | 0x80, 0, ...tail.subarray(1));
    case 3:
      return Uint8Array.of(...head, 0xff, 0xff, 0xff, 0xff, 0x0f, ...tail.subarray(1));
    case 4:
      return Uint8Array.of(...head, ...dice.bytes(dice.below(9)), ...tail.subarray(dice.below(9)));
    default:
      return bytes.with(at, (bytes[at] ?? 0) ^ (1 << dice.below(8)));
  }
}

function someKey(dice: Dice): string {
  return dice.chance(0.1) ? 'k'.repeat(dice.pick(LONG)) : dice.pick(KEYS);
}

function nested(dice: Dice): Raw {
  const depth = dice.pick(DEPTHS);
  const [open, close] = dice.chance(0.5) ? ['[', ']'] : ['{"a":', '}'];
  return new Raw(`${open.repeat(depth)}1${close.repeat(depth)}`);
}
