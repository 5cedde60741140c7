import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AddressTables,
  BUCKET_SIZE,
  type Known,
  MAX_BOOK,
  MAX_NEW_OF_GROUP,
  MAX_TRIED_OF_GROUP,
} from '../../../server/net/addressTables.js';
import { groupOf } from '../../../server/net/netGroup.js';
import { type PeerUrl, parsePeerUrl } from '../../../server/net/peerUrl.js';
import { present } from '../../kit/assertOk.js';
import { Dice } from '../../kit/sim/dice.js';

const SALT = Dice.of(7, 'salt').bytes(32);
const HOUR = 3_600_000;
const at = (text: string): PeerUrl => present(parsePeerUrl(`http://${text}`));
/** The nth address of a group. */
const inGroup = (group: number, n: number): PeerUrl =>
  at(`${20 + (group >> 8)}.${group & 255}.${(n >> 8) & 255}.${n & 255}:${80 + (n >> 16)}`);

function learn(tables: AddressTables, url: PeerUrl, { source = groupOf(url), now = 0 } = {}): void {
  tables.learn(url, { group: groupOf(url), source, now });
}

function answers(tables: AddressTables, url: PeerUrl, now = 0): void {
  tables.succeeded(url, { group: groupOf(url), now, answered: 'ours' });
}

const inTable = (tables: AddressTables, table: 'new' | 'tried'): Known[] => tables.buckets(table).flat();

describe('a flood of addresses (Heilman et al. 2015)', { timeout: 60_000 }, () => {
  test('a hundred thousand of one group take their share of the new table and no more, and push out nobody', () => {
    const tables = new AddressTables(SALT);
    const honest = Array.from({ length: 300 }, (_, group) => inGroup(1_000 + group, 1));
    for (const [i, url] of honest.entries()) learn(tables, url, { source: `v4:9.${i % 40}` });
    const before = new Set(tables.all().map(({ url }) => url));
    expect(before.size).toBeGreaterThan(280);
    for (let n = 0; n < 100_000; n++) learn(tables, inGroup(5, n), { source: `v4:8.${n % 250}` });
    for (const url of before) expect(tables.get(url), url).toBeDefined();
    expect(tables.all().length - before.size).toBeLessThanOrEqual(MAX_NEW_OF_GROUP);
  });

  test('a hundred thousand that one group names take a sixteenth of the new table', () => {
    const tables = new AddressTables(SALT);
    for (let n = 0; n < 100_000; n++) learn(tables, inGroup(n % 5_000, n), { source: 'v4:8.8' });
    expect(tables.all().length).toBeLessThanOrEqual(MAX_NEW_OF_GROUP);
  });

  test('one group that names its own takes a single bucket', () => {
    const tables = new AddressTables(SALT);
    for (let n = 0; n < 1_000; n++) learn(tables, inGroup(3, n));
    expect(tables.all()).toHaveLength(BUCKET_SIZE);
  });

  test('a hundred thousand of one group that all answer take four buckets of the tried table', () => {
    const tables = new AddressTables(SALT);
    for (let n = 0; n < 100_000; n++) answers(tables, inGroup(5, n));
    expect(inTable(tables, 'tried').length).toBeLessThanOrEqual(MAX_TRIED_OF_GROUP);
    expect(inTable(tables, 'tried').length).toBeGreaterThan(BUCKET_SIZE);
  });

  test('who calls us again and again comes among the new alone, however often it answers', () => {
    const tables = new AddressTables(SALT);
    for (let n = 0; n < 500; n++)
      tables.succeeded(inGroup(n, 1), { group: groupOf(inGroup(n, 1)), now: n, answered: 'theirs' });
    expect(inTable(tables, 'tried')).toEqual([]);
    expect(tables.all().length).toBeGreaterThan(0);
  });
});

describe('a tried address', () => {
  /** Tables in which one bucket of the tried table is full, and the next of the same bucket. */
  function crowded(now = 0): { tables: AddressTables; next: PeerUrl } {
    const tables = new AddressTables(SALT);
    for (let n = 0; ; n++) {
      const url = inGroup(5, n);
      answers(tables, url, now);
      if (!tables.get(url)?.tried) return { tables, next: url };
    }
  }

  test('keeps its place where it has answered lately, and nobody is tested', () => {
    const { tables, next } = crowded();
    answers(tables, next, 1 * HOUR);
    expect(tables.contests()).toEqual([]);
    expect(tables.get(next)).toMatchObject({ tried: false, lastSeen: HOUR });
  });

  test('keeps it where it answers when it is tested, and is tested only then', () => {
    const { tables, next } = crowded();
    answers(tables, next, 5 * HOUR);
    const [{ incumbent, challenger }] = tables.contests() as [{ incumbent: PeerUrl; challenger: PeerUrl }];
    expect(challenger).toBe(next);
    expect(tables.get(incumbent)?.tried).toBe(true);
    answers(tables, incumbent, 5 * HOUR);
    expect([tables.get(incumbent)?.tried, tables.get(next)?.tried]).toEqual([true, false]);
    expect(tables.contests()).toEqual([]);
  });

  test('loses it where it does not answer, and goes back among the new', () => {
    const { tables, next } = crowded();
    answers(tables, next, 5 * HOUR);
    const { incumbent } = present(tables.contests()[0]);
    tables.failed(incumbent, { now: 5 * HOUR, isAlone: false });
    expect([tables.get(incumbent)?.tried ?? false, tables.get(next)?.tried]).toEqual([false, true]);
    expect(tables.contests()).toEqual([]);
  });

  test('does not lose it while we reach nobody', () => {
    const { tables, next } = crowded();
    answers(tables, next, 5 * HOUR);
    const { incumbent } = present(tables.contests()[0]);
    tables.failed(incumbent, { now: 5 * HOUR, isAlone: true });
    expect(tables.get(incumbent)?.tried).toBe(true);
  });
});

test('a night without a network empties no book, and a network without somebody forgets that one', () => {
  const [url, never] = [inGroup(1, 1), inGroup(2, 1)];
  for (const isAlone of [true, false]) {
    const tables = new AddressTables(SALT);
    answers(tables, url);
    learn(tables, never);
    for (let i = 0; i < 12; i++) for (const each of [url, never]) tables.failed(each, { now: i, isAlone });
    expect([tables.get(url), tables.get(never)].map((known) => known !== undefined)).toEqual([isAlone, isAlone]);
  }
});

test('in a full bucket, who never answered when it was called makes room, and nobody else', () => {
  const tables = new AddressTables(SALT);
  const urls = Array.from({ length: BUCKET_SIZE }, (_, n) => inGroup(5, n));
  for (const url of urls) learn(tables, url);
  learn(tables, inGroup(5, 100));
  expect(tables.get(inGroup(5, 100))).toBeUndefined();
  tables.failed(present(urls[3]), { now: 1, isAlone: false });
  learn(tables, inGroup(5, 100));
  expect(tables.get(inGroup(5, 100))).toBeDefined();
  expect(tables.get(present(urls[3]))).toBeUndefined();
  // After a month without a word, too.
  learn(tables, inGroup(5, 101), { now: 31 * 24 * HOUR });
  expect(tables.get(inGroup(5, 101))).toBeDefined();
});

test('an operator’s address stands beside the tables, whatever comes of it', () => {
  const tables = new AddressTables(SALT);
  const url = inGroup(5, 0);
  answers(tables, url);
  tables.keep(url, { group: groupOf(url), source: 'operator', now: 0 });
  for (let i = 0; i < 50; i++) tables.failed(url, { now: i, isAlone: false });
  tables.forget(url, 50);
  for (let n = 1; n < 5_000; n++) answers(tables, inGroup(5, n), 30 * 24 * HOUR);
  expect(tables.kept().map((known) => known.url)).toEqual([url]);
  expect(tables.get(url)).toMatchObject({ failures: 51 });
});

type Step = { readonly kind: 'learn' | 'ours' | 'theirs' | 'failed' | 'alone' | 'forget' | 'keep'; readonly n: number };

describe('whatever happens', () => {
  const step = fc.record({
    kind: fc.constantFrom<Step['kind'][]>(
      'learn',
      'learn',
      'ours',
      'ours',
      'theirs',
      'failed',
      'alone',
      'forget',
      'keep',
    ),
    n: fc.nat(400),
  });
  const urlOf = (n: number): PeerUrl => inGroup(n % 5, n);

  /** Takes the steps, and keeps a plain map of what every change said, as a disk does. */
  function take(steps: readonly Step[]): { tables: AddressTables; disk: Map<PeerUrl, Known>; kept: Set<PeerUrl> } {
    const tables = new AddressTables(SALT);
    const disk = new Map<PeerUrl, Known>();
    const kept = new Set<PeerUrl>();
    for (const [i, { kind, n }] of steps.entries()) {
      const url = urlOf(n);
      const group = groupOf(url);
      const now = i * HOUR;
      if (kind === 'keep' && kept.size < 5) kept.add(url);
      const changes =
        kind === 'learn'
          ? tables.learn(url, { group, source: `v4:1.${n % 3}`, now })
          : kind === 'ours' || kind === 'theirs'
            ? tables.succeeded(url, { group, now, answered: kind })
            : kind === 'failed' || kind === 'alone'
              ? tables.failed(url, { now, isAlone: kind === 'alone' })
              : kind === 'forget'
                ? tables.forget(url, now)
                : kept.has(url)
                  ? tables.keep(url, { group, source: 'operator', now })
                  : [];
      for (const change of changes)
        if (change.kind === 'put') disk.set(change.known.url, change.known);
        else disk.delete(change.url);
    }
    return { tables, disk, kept };
  }

  test('the changes are all that happened, each address has one place, and no bucket is too full', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 800 }), (steps) => {
        const { tables, disk, kept } = take(steps);
        expect(new Map(tables.all().map((known) => [known.url, known]))).toEqual(disk);
        const placed = [...inTable(tables, 'new'), ...inTable(tables, 'tried'), ...tables.kept()];
        expect(placed.map(({ url }) => url).sort()).toEqual([...disk.keys()].sort());
        for (const table of ['new', 'tried'] as const)
          for (const bucket of tables.buckets(table)) {
            expect(bucket.length).toBeLessThanOrEqual(BUCKET_SIZE);
            for (const known of bucket) expect(known.tried).toBe(table === 'tried');
          }
        for (const url of kept) expect(tables.isKept(url) && tables.get(url) !== undefined).toBe(true);
        for (const { incumbent, challenger } of tables.contests())
          expect([tables.get(incumbent)?.tried, tables.get(challenger)?.tried]).toEqual([true, false]);
        expect(tables.contests().length).toBeLessThanOrEqual(16);
      }),
      { numRuns: 60 },
    );
  });

  test('what is read back from disk stands where it stood, in whatever order it is read', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), fc.nat(), (steps, seed) => {
        const { tables, disk } = take(steps.filter(({ kind }) => kind !== 'keep'));
        const again = new AddressTables(SALT);
        for (const known of Dice.of(seed, 'order').shuffled([...disk.values()]))
          expect(again.restore(known)).toBe(true);
        const sorted = (of: AddressTables, table: 'new' | 'tried') =>
          of.buckets(table).map((bucket) => bucket.map(({ url }) => url).sort());
        for (const table of ['new', 'tried'] as const) expect(sorted(again, table)).toEqual(sorted(tables, table));
      }),
      { numRuns: 40 },
    );
  });

  test('another salt spreads the same addresses otherwise, and the same salt alike', () => {
    const spread = (salt: Uint8Array): string => {
      const tables = new AddressTables(salt);
      for (let n = 0; n < 60; n++) learn(tables, inGroup(n, 1));
      return JSON.stringify(tables.buckets('new'));
    };
    expect(spread(SALT)).toBe(spread(SALT));
    expect(spread(SALT)).not.toBe(spread(Dice.of(8, 'salt').bytes(32)));
  });
});

test('both tables together hold some three thousand addresses', () => {
  expect(MAX_BOOK).toBe(3_072);
});
