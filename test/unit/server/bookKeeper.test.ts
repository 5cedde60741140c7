import { describe, expect, test } from 'vitest';
import { createPeerClient } from '../../../client/peerClient.js';
import { BookKeeper, NODE_CARE } from '../../../server/net/bookKeeper.js';
import type { Dialer } from '../../../server/net/dialer.js';
import { PeerBook } from '../../../server/net/peerBook.js';
import { type PeerUrl, parsePeerUrl } from '../../../server/net/peerUrl.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { systemRandom } from '../../../server/system/random.js';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { TrestleError } from '../../../shared/errors.js';
import { transformer } from '../../../shared/rpc/transformer.js';
import { present } from '../../kit/assertOk.js';
import { Dice } from '../../kit/sim/dice.js';
import { Lifeline } from '../../kit/sim/lifeline.js';
import { Scheduler } from '../../kit/sim/scheduler.js';
import { simClock } from '../../kit/sim/simClock.js';
import { simulate } from '../../kit/sim/simulate.js';
import { stillClock } from '../../support/memoryChain.js';
import { recordingLog } from '../../support/recordingLog.js';

const EVERY_MS = 1_000;

test('a full disk does not make a known node look as if it did not answer', async () => {
  await using net = await simulate({ nodes: 1 });
  const node = present(net.node(0).running);
  const lifeline = new Lifeline(net.scheduler);
  const clock = simClock(net.scheduler, lifeline, { aheadMs: 0 });
  const { signal } = new AbortController();
  const kv = memoryKv();
  let isFull = false;
  const commit: typeof kv.commit = async (batch) => {
    if (isFull) throw new TrestleError({ code: 'store-full', directory: 'here' });
    await kv.commit(batch);
  };
  const book = new PeerBook({ kv: { ...kv, commit }, clock, random: systemRandom });
  const url = present(parsePeerUrl(net.node(0).url));
  await book.learn(url);
  isFull = true;

  const log = recordingLog();
  const me = { name: 'me', address: '10.0.1.1', lifeline, answer: undefined };
  const dialer = net.wire.dialer(me, { lifeline, signal });
  const genesis = node.chain.genesis.header.hash;
  const no = (): boolean => false;
  const parts = { genesis, book, dialer, clock, random: systemRandom, log, signal, exclude: no, isAlone: no };
  new BookKeeper({ ...parts, care: NODE_CARE, everyMs: EVERY_MS }).start();
  await net.advance(2 * EVERY_MS);

  expect(log.lines.map(({ message }) => message)).toContain('the check of known nodes failed');
  expect(log.lines.map(({ message }) => message)).not.toContain('a known node does not answer');
  expect(book.get(url)).toMatchObject({ failures: 0 });
});

describe('feelers and tests', () => {
  const HOUR = 3_600_000;
  const url = (n: number): PeerUrl => present(parsePeerUrl(`http://30.1.${n >> 8}.${n & 255}:80`));
  const genesis = genesisBlock(NETWORKS.dev).header.hash;

  /** A keeper on virtual time, for whom these answer, and what it has asked. */
  function keeper(answers: () => boolean, isAlone = false) {
    const scheduler = new Scheduler(Dice.of(1, 'ties'));
    const lifeline = new Lifeline(scheduler);
    const clock = simClock(scheduler, lifeline, { aheadMs: 0 });
    const bookClock = stillClock(0);
    const book = new PeerBook({ kv: memoryKv(), clock: bookClock, random: Dice.of(1, 'book') });
    const asked: { url: PeerUrl; at: number }[] = [];
    const end = new AbortController();
    const dialer: Dialer = {
      dial: (url) => {
        asked.push({ url, at: scheduler.now });
        const fetch = async () => {
          const tip = { height: 0, hash: genesis, work: 0n };
          const data = transformer.serialize({ genesis, tip, time: 1 });
          if (!answers()) throw new TypeError('fetch failed');
          return { ok: true, json: async () => ({ result: { data } }) };
        };
        return createPeerClient({
          url,
          fetch,
          timeoutMs: 1_000,
          after: clock.after,
          signal: end.signal,
          session: () => undefined,
        });
      },
      resolve: async () => [],
      close: async () => {},
    };
    const parts = {
      genesis,
      book,
      dialer,
      clock,
      random: Dice.of(1, 'keeper'),
      log: recordingLog(),
      signal: end.signal,
    };
    const checks = { ...parts, care: NODE_CARE, everyMs: EVERY_MS, exclude: () => false, isAlone: () => isAlone };
    new BookKeeper(checks).start();
    const advance = (ms: number): Promise<void> => scheduler.advanceTo(scheduler.now + ms);
    return { book, asked, advance, setBookTime: bookClock.set };
  }

  test('a node asks one new and one tried address a round, however large its book is', async () => {
    const { book, asked, advance } = keeper(() => true);
    for (let n = 0; n < 400; n++)
      await book.learn(present(parsePeerUrl(`http://30.${n & 255}.${n >> 8}.1:80`)), `v4:1.${n}`);
    const known = book.all().length;
    expect(known).toBeGreaterThan(300);
    await advance(20 * EVERY_MS);
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.length).toBeLessThanOrEqual(2 * 27);
    // Who answers a feeler is tried from then on.
    expect(book.all().filter(({ tried }) => tried).length).toBeGreaterThan(10);
    // Not at one moment with all others: rounds are of different length.
    const gaps = new Set(asked.map(({ at }, i) => at - (asked[i - 1]?.at ?? at)).filter((gap) => gap > 0));
    expect(gaps.size).toBeGreaterThan(5);
  });

  test.each([
    ['answers, it keeps its place', true, false],
    ['does not answer, the newcomer has it', false, false],
    ['does not answer because nobody does, it keeps its place', false, true],
  ])('an address whose place another wants is asked first: where it %s', async (_what, isThere, isAlone) => {
    const { book, asked, advance, setBookTime } = keeper(() => isThere, isAlone);
    for (let n = 0; ; n++) {
      await book.succeeded(url(n));
      if (book.get(url(n))?.tried) continue;
      // None is sure of its place any more.
      setBookTime(5 * HOUR);
      await book.succeeded(url(n));
      break;
    }
    const contest = present(book.contests()[0]);
    await advance(2 * EVERY_MS);
    expect(asked.map((each) => each.url)).toContain(contest.incumbent);
    expect(book.get(contest.incumbent)?.tried ?? false).toBe(isThere || isAlone);
  });
});
