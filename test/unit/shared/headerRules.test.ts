import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesFromBigint } from '../../../shared/bytes/bigEndian.js';
import {
  checkHeader,
  checkMinimumWork,
  expectedBits,
  medianTime,
  type ParentContext,
  workWith,
} from '../../../shared/consensus/checkHeader.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { targetFromBits } from '../../../shared/consensus/target.js';
import type { Header } from '../../../shared/model/header.js';
import { toHeight } from '../../../shared/model/height.js';
import { type BlockHash, idFromBytes } from '../../../shared/model/ids.js';
import { present } from '../../kit/assertOk.js';
import { TestChain } from '../../kit/testChain.js';

const source = new TestChain();
const { params } = source;
const parent = source.grow(source.genesis, 12).at(-1) ?? source.genesis;
const context = source.contextOf(parent);
const good = source.extend(parent).header;
const now = 1_800_000_000_000;

const hashOf = (value: bigint): BlockHash => idFromBytes(bytesFromBigint(value, 32));
const target = present(targetFromBits(params.genesisBits));

describe('a header under its parent', () => {
  /** The verdict on a good header with some changes, whatever its hash would then be. */
  const judge = (change: Partial<Header>, at: ParentContext | undefined = context, of = params) =>
    checkHeader({ ...good, ...change }, at, { params: of, now });
  const refused = (reject: object) => ({ ok: false, reject });

  test('a good one passes', () => {
    expect(judge({})).toEqual({ ok: true, value: undefined });
  });

  test('it has the version of its height', () => {
    const upgraded = { ...params, upgrades: [{ height: good.height, version: 2 }] };
    expect(judge({ version: 2 }, context, upgraded).ok).toBe(true);
    expect(judge({ version: 1 }, context, upgraded)).toEqual(
      refused({ code: 'header-version', version: 1, expected: 2 }),
    );
    expect(judge({ version: 0 })).toEqual(refused({ code: 'header-version', version: 0, expected: 1 }));
  });

  test('its parent is known and valid, and it stands one above it', () => {
    const { previous } = good;
    expect(checkHeader(good, undefined, { params, now })).toEqual(refused({ code: 'header-parent-unknown', previous }));
    expect(judge({}, { ...context, invalid: true })).toEqual(refused({ code: 'header-parent-invalid', previous }));
    for (const height of [context.height, context.height + 2])
      expect(judge({ height: toHeight(height) })).toEqual(
        refused({ code: 'header-height', height, expected: context.height + 1 }),
      );
  });

  test('its time is past the median, by a millisecond at least', () => {
    const median = medianTime(context.recentTimes);
    expect(judge({ timestamp: median + 1 }).ok).toBe(true);
    expect(judge({ timestamp: median })).toEqual(refused({ code: 'header-time-old', timestamp: median, median }));
  });

  test('its time is ahead of the clock by two minutes and a block interval at most', () => {
    const latest = now + 120_000 + params.blockInterval;
    expect(judge({ timestamp: latest }).ok).toBe(true);
    expect(judge({ timestamp: latest + 1 })).toEqual(
      refused({ code: 'header-time-future', timestamp: latest + 1, latest }),
    );
  });

  test('it has the target that the difficulty rule asks for', () => {
    const expected = params.genesisBits;
    for (const bits of [expected - 1, expected + 1])
      expect(judge({ bits })).toEqual(refused({ code: 'header-bits', bits, expected }));
  });

  test('its hash may equal the target, and not be one above it', () => {
    expect(judge({ hash: hashOf(target) }).ok).toBe(true);
    const hash = hashOf(target + 1n);
    expect(judge({ hash })).toEqual(refused({ code: 'header-work', hash, target }));
  });

  test('of several broken rules, the first in the order of the list is told', () => {
    let header: Header = { ...good, version: 9, height: toHeight(9), timestamp: 0, bits: 1, hash: hashOf(target + 1n) };
    const codeOf = (at: ParentContext | undefined): string | undefined => {
      const verdict = checkHeader(header, at, { params, now });
      return verdict.ok ? undefined : verdict.reject.code;
    };
    expect(codeOf(undefined)).toBe('header-version');
    header = { ...header, version: 1 };
    expect(codeOf(undefined)).toBe('header-parent-unknown');
    expect(codeOf({ ...context, invalid: true })).toBe('header-parent-invalid');
    expect(codeOf(context)).toBe('header-height');
    header = { ...header, height: good.height };
    expect(codeOf(context)).toBe('header-time-old');
    header = { ...header, timestamp: 8.64e15 };
    expect(codeOf(context)).toBe('header-time-future');
    header = { ...header, timestamp: now };
    expect(codeOf(context)).toBe('header-bits');
    header = { ...header, bits: params.genesisBits };
    expect(codeOf(context)).toBe('header-work');
  });
});

describe('the target asked for', () => {
  test('without a difficulty rule it is always that of genesis', () => {
    const { dev } = NETWORKS;
    const early = { ...context, height: 5_000, timestamp: now, anchorTime: now };
    expect(expectedBits(dev, early)).toBe(dev.genesisBits);
    expect(expectedBits({ ...dev, retarget: 'asert' }, early)).not.toBe(dev.genesisBits);
  });

  test('on schedule it is that of genesis at any height; a half-life early it is half', () => {
    const main = NETWORKS.main;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (height) => {
        const anchorTime = 1_800_000_000_000;
        const timestamp = anchorTime + (height - 1) * main.blockInterval;
        expect(expectedBits(main, { ...context, height, timestamp, anchorTime })).toBe(main.genesisBits);
        const early = expectedBits(main, { ...context, height, timestamp: timestamp - main.halfLife, anchorTime });
        expect(present(targetFromBits(early))).toBe(0x07ffffn << 216n);
      }),
    );
  });
});

test('the median is the middle of the first eleven timestamps in any order, the later of two; of none there is none', () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeNat(), { minLength: 1, maxLength: 14 }), (times) => {
      const first = times.slice(0, 11);
      const median = medianTime(times);
      expect(first).toContain(median);
      expect(first.filter((time) => time < median).length).toBeLessThanOrEqual(first.length / 2);
      expect(first.filter((time) => time > median).length).toBeLessThan(first.length / 2);
    }),
  );
  expect(() => medianTime([])).toThrow(RangeError);
});

describe('work', () => {
  test('a branch has its parent’s work and what its last target takes', () => {
    expect(workWith(10n, good)).toBe(12n);
    expect(() => workWith(10n, { ...good, bits: 0 }), 'bits that spell no target never get here').toThrow(
      'bits 0x0 of a checked header spell no target',
    );
  });

  test('a branch is stored from 144 blocks short of the tip on, or from the network’s minimum on where that is more', () => {
    const floor = { minimumWork: 0n, tipWork: 1_000n, tipBits: params.genesisBits };
    const judge = (work: bigint, minimumWork: bigint) => checkMinimumWork(work, { ...floor, minimumWork });
    const refused = (work: bigint, minimum: bigint) => ({
      ok: false,
      reject: { code: 'header-minimum-work', work, minimum },
    });
    // Each block of these bits is worth 2.
    expect(judge(712n, 0n)).toEqual({ ok: true, value: undefined });
    expect(judge(711n, 0n)).toEqual(refused(711n, 712n));
    expect(judge(711n, 711n)).toEqual(refused(711n, 712n));
    expect(judge(713n, 713n).ok).toBe(true);
    expect(judge(712n, 713n)).toEqual(refused(712n, 713n));
    expect(checkMinimumWork(0n, { ...floor, tipWork: 10n }).ok, 'a young chain asks for nothing').toBe(true);
  });
});
