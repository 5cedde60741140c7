import superjson from 'superjson';
import { TrestleError } from '../errors.js';

/** How deep JSON may nest. Ours nests six deep; recursion over 200,000 levels ends a process. */
const MAX_DEPTH = 32;
/** The digits of the largest number in the contract are 80; turning a million digits into a bigint stops the loop. */
const MAX_DIGITS = 80;
/** The most characters of a refusal. */
const MAX_DETAIL = 200;
const INTEGER = new RegExp(`^-?\\d{1,${MAX_DIGITS}}$`);
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * superjson on the wire, with a reader of our own. The stock reader rebuilds sets, maps, dates, errors, regular
 * expressions and shared references before any schema sees them, and a body of 1.9 MB can stop the event loop for
 * seconds with them. The contract needs bigint and undefined: those are read, everything else is refused. What we write
 * is plain superjson, so any superjson client understands it.
 */
export const transformer = {
  serialize: (value: unknown): unknown => superjson.serialize(value),
  deserialize: readSuperjson,
};

/** Reads the superjson of bigints and undefined; throws `bad-request` at anything else. */
export function readSuperjson(payload: unknown): unknown {
  if (!isObject(payload)) return payload === undefined ? undefined : refuse('the body is not a superjson object');
  for (const key of Object.keys(payload)) if (key !== 'json' && key !== 'meta') refuse(`the body has a field ${key}`);
  const root = { json: payload['json'] };
  checkShape(root.json);
  for (const [path, annotation] of annotations(payload['meta'])) apply(root, ['json', ...path], annotation);
  return root.json;
}

/**
 * Refuses JSON that nests too deep, has keys that reach into prototypes, or a zero below zero: that would pass for a
 * height or a version, and superjson writes it in a form that we do not read. Walks without recursion.
 */
function checkShape(json: unknown): void {
  const queue: { value: unknown; depth: number }[] = [{ value: json, depth: 0 }];
  for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) {
    const { value, depth } = entry;
    if (Object.is(value, -0)) refuse('the body has a number -0');
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= MAX_DEPTH) refuse(`the body nests deeper than ${MAX_DEPTH}`);
    for (const [key, child] of Object.entries(value)) {
      if (FORBIDDEN_KEYS.has(key)) refuse(`the body has a field ${key}`);
      if ((typeof child === 'object' && child !== null) || child === 0) queue.push({ value: child, depth: depth + 1 });
    }
  }
}

/** Paths with their annotation. References between parts of a value are dropped: the JSON holds each part in full. */
function* annotations(meta: unknown): Generator<[readonly string[], 'bigint' | 'undefined']> {
  if (meta === undefined) return;
  if (!isObject(meta)) return refuse('meta is not an object');
  const values = meta['values'];
  if (values === undefined) return;
  if (Array.isArray(values)) return yield [[], annotationOf(values)];
  if (!isObject(values)) return refuse('meta.values is not an object');
  for (const [path, annotation] of Object.entries(values)) yield [splitPath(path), annotationOf(annotation)];
}

function annotationOf(value: unknown): 'bigint' | 'undefined' {
  const type = Array.isArray(value) && value.length === 1 ? value[0] : undefined;
  return type === 'bigint' || type === 'undefined' ? type : refuse('meta.values holds a type other than bigint');
}

/** superjson joins keys by dots, and puts a backslash before a dot or backslash that belongs to a key. */
function splitPath(path: string): string[] {
  const parts = [''];
  for (let i = 0; i < path.length; i++) {
    const character = path.charAt(i);
    if (character === '.') {
      if (parts.push('') > MAX_DEPTH) refuse(`a path nests deeper than ${MAX_DEPTH}`);
      continue;
    }
    const literal = character === '\\' ? path.charAt(++i) : character;
    parts[parts.length - 1] += literal;
  }
  return parts;
}

function apply(root: object, path: readonly string[], annotation: 'bigint' | 'undefined'): void {
  let parent: Record<string, unknown> | undefined;
  let value: unknown = root;
  let key = '';
  for (const part of path) {
    if (!isRecordOrArray(value) || !Object.hasOwn(value, part)) refuse('meta.values names a place that is not there');
    parent = value as Record<string, unknown>;
    key = part;
    value = parent[part];
  }
  if (parent === undefined) return;
  if (annotation === 'undefined') {
    if (value !== null) refuse('meta.values marks a value as undefined');
    parent[key] = undefined;
  } else {
    if (typeof value !== 'string' || !INTEGER.test(value))
      refuse(`a bigint is not an integer of at most ${MAX_DIGITS} digits`);
    parent[key] = BigInt(value as string);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRecordOrArray(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Names of fields are the sender's and may be as long as the body: they are not sent back whole. */
function refuse(detail: string): never {
  throw new TrestleError({ code: 'bad-request', detail: detail.slice(0, MAX_DETAIL) });
}
