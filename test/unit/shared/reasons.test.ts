import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TrestleError } from '../../../shared/errors.js';
import { parseReason } from '../../../shared/parseReason.js';
import { printable } from '../../../shared/printable.js';
import { describeReason, MEANINGS } from '../../../shared/reasons.js';
import { failureOf, toTrpcError } from '../../../shared/rpc/errors.js';

test('whatever the other side calls a reason is either one of ours, whole, or none; telling people of it never fails', () => {
  const figure = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.bigInt(),
    fc.constant(null),
    fc.object({ withNullPrototype: true }),
  );
  const names = [
    'detail',
    'outpoint',
    'position',
    'reject',
    'url',
    'fee',
    'minimum',
    'needed',
    'available',
    'directory',
  ];
  const claim = fc.record({
    code: fc.oneof(fc.constantFrom(...Object.keys(MEANINGS)), fc.string()),
    ...Object.fromEntries(names.map((name) => [name, figure])),
  });
  fc.assert(
    fc.property(fc.oneof(claim, fc.anything()), (value) => {
      const reason = parseReason(value);
      if (reason !== null) expect(describeReason(reason).length).toBeGreaterThan(0);
    }),
  );
});

test.each([
  ['a code that is not ours', { code: 'toString' }],
  ['a figure that is missing', { code: 'too-large' }],
  ['a figure of another kind', { code: 'too-large', limit: '5' }],
  ['an endless text', { code: 'not-found', detail: 'x'.repeat(1_001) }],
  [
    'a reason within a reason that is no transaction’s',
    { code: 'block-tx', position: 1, reject: { code: 'busy', detail: '' } },
  ],
  ['no object', 'not-found'],
])('%s makes it no reason', (_what, value) => {
  expect(parseReason(value)).toBeNull();
});

test('figures that this version does not know are left out', () => {
  expect(parseReason({ code: 'too-large', limit: 5, by: 'whom' })).toEqual({ code: 'too-large', limit: 5 });
  const nested = { code: 'block-tx', position: 1, reject: { code: 'tx-value-zero', output: 0, more: 1 } };
  expect(parseReason(nested)).toEqual({ code: 'block-tx', position: 1, reject: { code: 'tx-value-zero', output: 0 } });
});

test('callers are told that the disk is full, not where it is', () => {
  for (const reason of [
    { code: 'store-full', directory: '/home/me/data' },
    { code: 'store-corrupt', detail: '/home/me/data: header 12' },
  ] as const) {
    const told = failureOf(toTrpcError(new TrestleError(reason)), 'block.last');
    expect(told.reason?.code).toBe(reason.code);
    expect(JSON.stringify(told)).not.toContain('/home');
  }
});

test('text from elsewhere cannot steer a terminal', () => {
  expect(printable('a\u001b[2Jb\nc\u202Ed\u0007')).toBe('a\uFFFD[2Jb\uFFFDc\uFFFDd\uFFFD');
  expect(printable('plain text – with “marks” and 日本')).toBe('plain text – with “marks” and 日本');
});
