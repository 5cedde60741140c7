import type { Dice } from './dice.js';
import { changeBytes, hostileValue, mutate } from './mutate.js';
import type { Procedure } from './procedures.js';
import { type Corpus, validInput } from './validInput.js';
import { toBody } from './wire.js';

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** What requests to one procedure are made from. */
export interface CaseParts {
  readonly procedure: Procedure;
  readonly corpus: Corpus;
  readonly dice: Dice;
}

/** The most characters of an input in a URL: longer ones never get past Node's own limit on headers. */
const MAX_URL_INPUT = 4_000;

const JSON_HEADERS = { 'content-type': 'application/json' };
const SOUP = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '"json"',
  '"meta"',
  '"values"',
  '"a"',
  '1',
  '-',
  '1e9',
  'null',
  '"',
  '\\',
  ' ',
];

/** Annotations that stock superjson acts on, and others that lead nowhere. */
const META: readonly unknown[] = [
  ...[['set'], ['map'], ['Date'], ['regexp'], ['Error'], ['URL'], ['class', 'X'], ['symbol', 'x'], ['custom', 'x']],
  ...[['typed-array', 'Uint8Array'], ['number'], ['bigint'], ['undefined'], ['bigint', 'bigint'], [['bigint']], [], 0],
];
const PLACES = [
  '',
  'a',
  '0',
  'block',
  'address',
  '__proto__',
  'constructor.prototype',
  'a.b.c',
  '\\',
  'json',
  'length',
];

/** Bytes that are no call, or are one only in part. */
export function bytesCase(parts: CaseParts): WireRequest {
  const { procedure, dice } = parts;
  const path = `/trpc/${procedure.path}`;
  const post = (body: string | Uint8Array): WireRequest => ({ method: 'POST', path, headers: JSON_HEADERS, body });
  switch (dice.below(8)) {
    case 0:
      return post(dice.bytes(dice.below(dice.chance(0.05) ? 100_000 : 300)));
    case 1:
      return { method: 'GET', path: `${path}?input=${percent(dice.bytes(dice.below(200)))}`, headers: {} };
    case 2:
      return post(soup(dice));
    case 3:
      return post(changeBytes(new TextEncoder().encode(validBody(parts)), dice));
    case 4:
      return post(hostileMeta(parts));
    case 5:
      return { ...post(soup(dice)), path: `${path}?batch=1&${percent(dice.bytes(dice.below(20)))}` };
    case 6:
      return { ...post(`{"json":null}`), method: dice.pick(['PUT', 'DELETE', 'PATCH', 'GET', 'OPTIONS']) };
    default:
      return { ...post(soup(dice)), headers: strangeHeaders(dice) };
  }
}

/** A valid input as it is: what is valid must be answered, or what is refused beside it proves little. */
export function validCase(parts: CaseParts): WireRequest {
  return call(parts, () => validBody(parts));
}

/** A valid input with something wrong. */
export function objectCase(parts: CaseParts): WireRequest {
  const { procedure, corpus, dice } = parts;
  return call(parts, () => {
    const value = validInput(procedure.input, dice, corpus);
    return toBody(value === undefined ? hostileValue(dice) : mutate(value, dice));
  });
}

function call({ procedure, corpus, dice }: CaseParts, makeBody: () => string): WireRequest {
  const path = `/trpc/${procedure.path}`;
  let body = makeBody();
  while (corpus.unsent.some((word) => body.includes(word))) body = makeBody();
  const isByUrl = procedure.type === 'subscription' || (procedure.type === 'query' && dice.chance(0.3));
  const query = percent(new TextEncoder().encode(body));
  if (isByUrl && query.length <= MAX_URL_INPUT) return { method: 'GET', path: `${path}?input=${query}`, headers: {} };
  if (dice.chance(0.05))
    return { method: 'POST', path: `${path}?batch=1`, headers: JSON_HEADERS, body: `{"0":${body}}` };
  return { method: 'POST', path, headers: JSON_HEADERS, body };
}

function validBody({ procedure, corpus, dice }: CaseParts): string {
  return toBody(validInput(procedure.input, dice, corpus));
}

function hostileMeta(parts: CaseParts): string {
  const { dice } = parts;
  const json = dice.chance(0.5)
    ? validBody(parts)
        .replace(/,"meta":.*$/, '}')
        .slice('{"json":'.length, -1)
    : '{"a":"1"}';
  const annotation = dice.pick(META);
  const values = dice.chance(0.3) ? annotation : Object.fromEntries([[dice.pick(PLACES), annotation]]);
  const meta = { values, ...(dice.chance(0.2) ? { referentialEqualities: { a: ['b', '__proto__'] }, v: 1 } : {}) };
  const beside = dice.chance(0.1) ? `${JSON.stringify('k'.repeat(1 + dice.below(200_000)))}:1,` : '';
  return `{${beside}"json":${json},"meta":${JSON.stringify(meta)}}`;
}

function soup(dice: Dice): string {
  return Array.from({ length: dice.below(40) }, () => dice.pick(SOUP)).join('');
}

function strangeHeaders(dice: Dice): Record<string, string> {
  return dice.pick<Record<string, string>>([
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/json; charset=utf-7' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': 'application/octet-stream' },
    { ...JSON_HEADERS, 'content-encoding': 'gzip' },
    { ...JSON_HEADERS, 'content-encoding': 'br, gzip' },
    { ...JSON_HEADERS, 'trpc-accept': 'application/jsonl' },
    { ...JSON_HEADERS, accept: 'text/event-stream' },
    { ...JSON_HEADERS, origin: 'null' },
    { ...JSON_HEADERS, host: 'evil.example' },
    { ...JSON_HEADERS, 'x-trestle-session': '__proto__' },
    { ...JSON_HEADERS, authorization: 'Bearer ' },
    { ...JSON_HEADERS, 'last-event-id': '../blocks/0' },
    {},
  ]);
}

/** Bytes as they may stand in a query, each spelt out. */
function percent(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => (isPlain(byte) ? String.fromCharCode(byte) : `%${hex(byte)}`)).join('');
}

function isPlain(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a);
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
