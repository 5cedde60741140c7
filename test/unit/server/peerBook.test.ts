import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_BOOK } from '../../../server/net/addressTables.js';
import { MAX_ANCHORS, PeerBook } from '../../../server/net/peerBook.js';
import { type PeerUrl, parsePeerUrl } from '../../../server/net/peerUrl.js';
import { countCodec, optional, record, textCodec } from '../../../server/store/codecs.js';
import type { Kv } from '../../../server/store/kv.js';
import { layout } from '../../../server/store/layout.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { decodeRow, put, rawRows, space } from '../../../server/store/space.js';
import { systemRandom } from '../../../server/system/random.js';
import { TrestleError } from '../../../shared/errors.js';
import { present } from '../../kit/assertOk.js';
import { stillClock } from '../../support/memoryChain.js';

const url = (n: number): PeerUrl => present(parsePeerUrl(`http://10.0.${n >> 8}.${n & 255}:80`));
const publicUrl = (group: number, n: number): PeerUrl => present(parsePeerUrl(`http://20.${group}.0.${n}:80`));
const bookOn = (kv: Kv, clock = stillClock(), allowPrivate = true): PeerBook =>
  new PeerBook({ kv, clock, random: systemRandom, allowPrivate });

describe('peer book', () => {
  test('it keeps what it learnt over a restart', async () => {
    const [kv, clock] = [memoryKv(), stillClock(5_000)];
    const book = bookOn(kv, clock);
    await book.learn(url(1));
    await book.succeeded(url(2));
    const again = bookOn(kv, clock);
    expect(again.reached().map((peer) => peer.url)).toEqual([url(2)]);
    expect(again.get(url(1))).toMatchObject({ firstSeen: 5_000, lastSeen: null });
  });

  test('each failure doubles the wait, and too many end in oblivion; an answer forgives them', async () => {
    const clock = stillClock(0);
    const book = bookOn(memoryKv(), clock);
    await book.succeeded(url(1));
    const isDue = () => book.due(9, () => false).includes(url(1));
    await book.failed(url(1));
    expect(isDue()).toBe(false);
    clock.set(2_000);
    expect(isDue()).toBe(true);
    await book.failed(url(1));
    clock.set(5_999);
    expect(isDue()).toBe(false);
    clock.set(6_000);
    expect(isDue()).toBe(true);
    await book.succeeded(url(1));
    expect(isDue()).toBe(true);
    for (let i = 0; i < 12; i++) await book.failed(url(1));
    expect(book.get(url(1))).toBeUndefined();
    // A clock that was set back does not put an address off.
    await book.succeeded(url(2));
    await book.failed(url(2));
    clock.set(-1_000_000);
    expect(book.due(9, () => false)).toContain(url(2));
  });

  test('the longest unchecked of those that answered are checked first, so that every one has its turn', async () => {
    const clock = stillClock(0);
    const book = bookOn(memoryKv(), clock);
    for (let n = 0; n < 6; n++) await book.succeeded(url(n));
    await book.learn(url(9));
    const checked = new Set<string>();
    for (let round = 1; round <= 3; round++) {
      clock.set(round);
      for (const due of book.unchecked(2, () => false)) {
        checked.add(due);
        await book.succeeded(due);
      }
    }
    expect(checked.size).toBe(6);
    expect(book.unchecked(9, (each) => each === url(3))).not.toContain(url(3));
    expect(book.unchecked(9, () => false)).not.toContain(url(9));
    expect(book.untried(9, () => false)).toEqual([url(9)]);
  });

  test('a flood of addresses stays within its bound and never pushes out one that has answered', async () => {
    const book = bookOn(memoryKv());
    for (let n = 0; n < 20; n++) await book.succeeded(url(n));
    for (let n = 1_000; n < 1_000 + 3 * MAX_BOOK; n++) await book.learn(url(n));
    expect(book.all().length).toBeLessThanOrEqual(MAX_BOOK);
    for (let n = 0; n < 20; n++) expect(book.get(url(n))).toBeDefined();
  });

  test('some that have answered and some that are new are tried, what the operator named before them', async () => {
    const book = bookOn(memoryKv());
    for (let n = 0; n < 10; n++) await book.learn(url(n));
    for (let n = 10; n < 20; n++) await book.succeeded(url(n));
    await book.keep(url(99));
    const first = new Set(Array.from({ length: 60 }, () => book.due(2, () => false)).map(([, next]) => next));
    expect([...first].some((each) => book.get(present(each))?.tried)).toBe(true);
    expect([...first].some((each) => !book.get(present(each))?.tried)).toBe(true);
    expect(book.due(1, () => false)).toEqual([url(99)]);
    expect(book.due(30, (each) => each === url(99))).toHaveLength(20);
  });

  test('addresses that may not be called have no place, unless the operator named them', async () => {
    const kv = memoryKv();
    await bookOn(kv).learn(url(1));
    const book = bookOn(kv, stillClock(), false);
    await book.learnAll([url(2), publicUrl(1, 1)], 'v4:1.2');
    await book.keep(url(3));
    expect(
      book
        .all()
        .map((known) => known.url)
        .sort(),
    ).toEqual([url(3), publicUrl(1, 1)].sort());
    expect([...rawRows(kv, layout.peer)]).toHaveLength(2);
  });

  test('anchors are kept over a restart, written only where they change', async () => {
    const kv = memoryKv();
    let commits = 0;
    const countedCommit: Kv['commit'] = async (batch) => {
      commits += 1;
      await kv.commit(batch);
    };
    const counting: Kv = { ...kv, commit: countedCommit };
    const book = bookOn(counting);
    await book.anchor([url(1), url(2), url(3)]);
    await book.anchor([url(1), url(2)]);
    expect(commits).toBe(1);
    expect(bookOn(kv).anchors).toEqual([url(1), url(2)].slice(0, MAX_ANCHORS));
  });

  test('a restart finds every address in its bucket again: the salt is kept', async () => {
    const kv = memoryKv();
    const book = bookOn(kv);
    for (let n = 0; n < 400; n++) await (n % 3 === 0 ? book.succeeded(url(n)) : book.learn(url(n), `v4:1.${n % 9}`));
    const again = bookOn(kv);
    const sorted = (of: PeerBook) => of.all().sort((a, b) => (a.url < b.url ? -1 : 1));
    expect(sorted(again)).toEqual(sorted(book));
    expect(again.all().filter(({ tried }) => tried).length).toBeGreaterThan(100);
  });

  test('a salt that found no room on the disk is written with what comes next', async () => {
    const kv = memoryKv();
    let isFull = true;
    const commit: Kv['commit'] = async (batch) => {
      if (isFull) throw new TrestleError({ code: 'store-full', directory: 'here' });
      await kv.commit(batch);
    };
    const book = bookOn({ ...kv, commit });
    await expect(book.learn(url(1))).rejects.toThrow();
    isFull = false;
    await book.learn(url(2));
    expect([...rawRows(kv, layout.book)]).toHaveLength(1);
  });

  test('a store from before there were tables is read: its addresses are new, and none has to answer for it', async () => {
    /** What a record was. */
    const before = space<
      string,
      { firstSeen: number; lastSeen: number | null; lastTried: number | null; failures: number }
    >('peer', layout.peer.prefix, {
      key: textCodec,
      value: record({
        firstSeen: countCodec,
        lastSeen: optional(countCodec),
        lastTried: optional(countCodec),
        failures: countCodec,
      }),
    });
    const kv = memoryKv();
    const old = { firstSeen: 5, lastSeen: 6, lastTried: 7, failures: 1 };
    await kv.commit(Array.from({ length: 50 }, (_, n) => put(before, url(n), old)));
    for (const row of rawRows(kv, layout.peer)) expect(decodeRow(layout.peer, row).ok).toBe(true);
    const book = bookOn(kv);
    expect(book.all()).toHaveLength(50);
    expect(book.get(url(3))).toMatchObject({ ...old, tried: false });
    // A thousand of one group do not fit any more; the rest goes with the next write.
    await kv.commit(Array.from({ length: 250 }, (_, n) => put(before, publicUrl(7, n), old)));
    const crowded = bookOn(kv);
    expect(crowded.all().length).toBeLessThan(60);
    await crowded.learn(url(99));
    expect([...rawRows(kv, layout.peer)].length).toBe(crowded.all().length);
  });

  test('what is on disk is what the book holds, whatever happens', async () => {
    const step = fc.record({
      kind: fc.constantFrom('learn', 'succeeded', 'confirmed', 'failed', 'forget'),
      n: fc.nat(60),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
        const [kv, clock] = [memoryKv(), stillClock(0)];
        const book = bookOn(kv, clock);
        for (const [i, { kind, n }] of steps.entries()) {
          clock.set(i * 1_000);
          const each = publicUrl(n % 3, n);
          if (kind === 'learn') await book.learn(each);
          else if (kind === 'succeeded') await book.succeeded(each);
          else if (kind === 'confirmed') await book.confirmed(each);
          else if (kind === 'failed') await book.failed(each);
          else await book.forget(each);
        }
        const sorted = (of: PeerBook) => of.all().sort((a, b) => (a.url < b.url ? -1 : 1));
        expect(sorted(bookOn(kv, clock))).toEqual(sorted(book));
      }),
      { numRuns: 50 },
    );
  });
});
