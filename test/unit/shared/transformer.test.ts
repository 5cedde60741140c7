import fc from 'fast-check';
import superjson from 'superjson';
import { describe, expect, test } from 'vitest';
import { TrestleError } from '../../../shared/errors.js';
import { readSuperjson, transformer } from '../../../shared/rpc/transformer.js';

const key = fc
  .oneof(fc.string({ maxLength: 6 }), fc.constantFrom('a.b', 'a\\b', '0', ''))
  .filter((name) => !['__proto__', 'constructor', 'prototype'].includes(name));
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.bigInt({ min: -(10n ** 79n), max: 10n ** 79n }),
    fc.constant(undefined),
    fc.constant(null),
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(key, tie('any'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).any;

function overTheWire(payload: unknown): unknown {
  const text = JSON.stringify(payload);
  return text === undefined ? undefined : JSON.parse(text);
}

describe('superjson on the wire', () => {
  test('whatever stock superjson writes of our kinds of values, we read', () => {
    fc.assert(
      fc.property(value, (any) => {
        expect(readSuperjson(overTheWire(superjson.serialize(any)))).toEqual(any);
      }),
    );
  });

  test('whatever we write, stock superjson reads', () => {
    fc.assert(
      fc.property(value, (any) => {
        expect(superjson.deserialize(overTheWire(transformer.serialize(any)) as never)).toEqual(any);
      }),
    );
  });

  test('one object that is there twice arrives twice', () => {
    const part = { amount: 5n };
    expect(readSuperjson(overTheWire(superjson.serialize({ a: part, b: part })))).toEqual({ a: part, b: part });
  });

  test.each<[string, unknown]>([
    ['a set', superjson.serialize(new Set([1]))],
    ['a map', superjson.serialize(new Map([[1, 2]]))],
    ['a date', superjson.serialize(new Date(0))],
    ['a regular expression', superjson.serialize(/a+/)],
    ['an error', superjson.serialize(new Error('x'))],
    ['a typed array', superjson.serialize(new Uint8Array(2))],
    ['a symbol of a class', { json: {}, meta: { values: [['class', 'Evil']] } }],
    ['a bigint of a million digits', { json: '9'.repeat(1_000_000), meta: { values: ['bigint'] } }],
    ['a bigint in exponent form', { json: '1e9', meta: { values: ['bigint'] } }],
    ['a bigint that is a number', { json: 5, meta: { values: ['bigint'] } }],
    ['an empty bigint', { json: '', meta: { values: ['bigint'] } }],
    ['a zero below zero', { json: { height: -0 } }],
    ['a zero below zero by itself', { json: -0 }],
    ['undefined where there is a value', { json: { a: 1 }, meta: { values: { a: ['undefined'] } } }],
    ['a path that leads nowhere', { json: {}, meta: { values: { 'a.b': ['bigint'] } } }],
    ['a path into a prototype', { json: {}, meta: { values: { '__proto__.x': ['bigint'] } } }],
    ['a path through a string', { json: { a: 'text' }, meta: { values: { 'a.length': ['bigint'] } } }],
    ['a path of a thousand parts', { json: {}, meta: { values: { [Array(1_000).fill('a').join('.')]: ['bigint'] } } }],
    ['a field beside json and meta', { json: 1, other: 2 }],
    ['a list', [1, 2]],
    ['text', 'text'],
    ['a null body', null],
    ['meta that is a list', { json: 1, meta: [] }],
    ['values that are text', { json: 1, meta: { values: 'bigint' } }],
    ['JSON two hundred thousand deep', { json: JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`) }],
    ['a __proto__ key', { json: JSON.parse('{"__proto__":{"polluted":1}}') }],
    ['a constructor key, deep inside', { json: JSON.parse('{"a":[{"constructor":1}]}') }],
  ])('%s is refused as bad-request', (_what, payload) => {
    let error: unknown;
    try {
      readSuperjson(payload);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TrestleError);
    expect((error as TrestleError).code).toBe('bad-request');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test('a name as long as the body is not sent back whole', () => {
    const refusal = (): unknown => readSuperjson({ json: 1, ['k'.repeat(100_000)]: 1 });
    expect(refusal).toThrow(TrestleError);
    expect(refusal).toThrow(/^.{1,400}$/);
  });

  test('a body that makes the stock reader walk in squares is refused', () => {
    const entries = Array.from({ length: 5_000 }, (_, i) => i);
    const values = Object.fromEntries(entries.map((i) => [`${i}`, ['undefined']]));
    expect(() => readSuperjson({ json: entries, meta: { values: [['set'], values] } })).toThrow(TrestleError);
  });
});
