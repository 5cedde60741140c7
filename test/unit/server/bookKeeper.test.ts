import { expect, test } from 'vitest';
import { BookKeeper, NODE_CARE } from '../../../server/net/bookKeeper.js';
import { PeerBook } from '../../../server/net/peerBook.js';
import { parsePeerUrl } from '../../../server/net/peerUrl.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { systemRandom } from '../../../server/system/random.js';
import { TrestleError } from '../../../shared/errors.js';
import { present } from '../../kit/assertOk.js';
import { Lifeline } from '../../kit/sim/lifeline.js';
import { simClock } from '../../kit/sim/simClock.js';
import { simulate } from '../../kit/sim/simulate.js';
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
