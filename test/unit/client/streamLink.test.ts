import { describe, expect, test } from 'vitest';
import { reasonOf } from '../../../client/failure.js';
import { createPeerClient } from '../../../client/peerClient.js';
import type { ByteStream, OpenStream } from '../../../client/streamLink.js';
import { httpDialer } from '../../../server/net/dialer.js';
import { requirePeerUrl } from '../../../server/ownUrl.js';
import { systemClock } from '../../../server/system/clock.js';
import { transformer } from '../../../shared/rpc/transformer.js';
import { eventually } from '../../support/eventually.js';
import { testNode } from '../../support/testNode.js';

const HASH = 'ab'.repeat(32);
const CHANGE = { kind: 'connected', height: 3, hash: HASH, previous: HASH, cursor: HASH };
const CONNECTED = 'event: connected\ndata: {}\n\n\n';
const URL = 'http://peer:1';

function eventOf(data: unknown): string {
  return `data: ${JSON.stringify(transformer.serialize(data))}\nid: ${HASH}\n\n\n`;
}

/** What comes of a subscription to a peer that sends these texts, piece by piece, and then says no more. */
async function hear(texts: readonly string[], options: { ok?: boolean; ends?: boolean } = {}) {
  const { ok = true, ends = true } = options;
  const heard = { events: [] as unknown[], errors: [] as unknown[], completed: 0, url: '', pieces: 0, isClosed: false };
  const timers: (() => void)[] = [];
  async function* body(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      for (const text of texts) {
        heard.pieces += 1;
        yield new TextEncoder().encode(text);
      }
      if (!ends) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    } finally {
      heard.isClosed = true;
    }
  }
  const openStream: OpenStream = async (url, { signal }): Promise<ByteStream> => {
    heard.url = url;
    return { ok, body: body(signal) };
  };
  const client = createPeerClient({
    ...{ url: URL, openStream, timeoutMs: 1, session: () => undefined },
    fetch: () => Promise.reject(new Error('no calls here')),
    after: (_ms, action) => {
      timers.push(action);
      return () => timers.splice(timers.indexOf(action), 1);
    },
  });
  const { unsubscribe } = client.block.onChange.subscribe(
    { after: HASH },
    {
      onData: ({ data }) => heard.events.push(data),
      onError: (error) => heard.errors.push(reasonOf(error)),
      onComplete: () => {
        heard.completed += 1;
      },
    },
  );
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  return { heard, timers, unsubscribe };
}

describe('a peer’s subscription', () => {
  test('is heard event by event, however its bytes are cut', async () => {
    const whole = [CONNECTED, eventOf(CHANGE), 'event: ping\ndata: \n\n\n', eventOf({ ...CHANGE, height: 4 })].join('');
    for (const texts of [[whole], [...whole]]) {
      const { heard } = await hear(texts);
      expect(heard.events).toEqual([CHANGE, { ...CHANGE, height: 4 }]);
      expect([heard.errors, heard.completed]).toEqual([[], 1]);
    }
    const { heard } = await hear([]);
    expect(decodeURIComponent(heard.url)).toBe(`${URL}/trpc/block.onChange?input={"json":{"after":"${HASH}"}}`);
  });

  test.each([
    ['another shape', eventOf({ ...CHANGE, more: 1 })],
    ['no JSON', 'data: {\n\n'],
    ['a type that the reader does not know', 'data: {"json":{},"meta":{"values":{"a":["set"]}}}\n\n'],
  ])('that sends %s is a broken promise, and is read no further', async (_what, text) => {
    const { heard } = await hear([text, eventOf(CHANGE)]);
    expect(heard.errors).toMatchObject([{ code: 'peer-protocol' }]);
    expect([heard.events, heard.isClosed]).toEqual([[], true]);
  });

  test('with an event that does not end is left before it fills the memory', async () => {
    const { heard } = await hear(Array(1_000).fill('data: '.padEnd(1_000, 'x')));
    expect(heard.errors).toMatchObject([{ code: 'peer-protocol' }]);
    expect(heard.pieces).toBeLessThan(10);
    expect(heard.isClosed).toBe(true);
  });

  test('ends with the stream, with the word of the peer, with its failure, and when it is refused', async () => {
    expect((await hear([CONNECTED])).heard).toMatchObject({ errors: [], completed: 1 });
    expect((await hear(['event: return\ndata: \n\n'], { ends: false })).heard).toMatchObject({ completed: 1 });
    const failed = await hear(['event: serialized-error\ndata: null\n\n'], { ends: false });
    expect(failed.heard.errors).toMatchObject([{ code: 'peer-unreachable' }]);
    expect((await hear([], { ok: false })).heard.errors).toMatchObject([{ code: 'peer-unreachable' }]);
  });

  test('is given up when nothing comes for long, and leaves no timer behind', async () => {
    const { heard, timers } = await hear([CONNECTED], { ends: false });
    expect(timers).toHaveLength(1);
    timers[0]?.();
    expect(heard.errors).toMatchObject([{ code: 'peer-unreachable', detail: expect.stringContaining('silent') }]);
    const other = await hear([CONNECTED], { ends: false });
    other.unsubscribe();
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect([other.timers, other.heard.isClosed]).toEqual([[], true]);
  });

  test('works over HTTP', async () => {
    await using node = await testNode();
    const controller = new AbortController();
    const dialer = httpDialer({ allowPrivate: true, clock: systemClock, signal: controller.signal });
    const heard: string[] = [];
    const { block } = dialer.dial(requirePeerUrl(node.url));
    const { unsubscribe } = block.onChange.subscribe({}, { onData: ({ data: { kind } }) => heard.push(kind) });
    await eventually('the tip', async () => heard.length === 1);
    await node.client.block.generate.mutate({ address: '0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF' });
    await eventually('the block', async () => heard.length === 2);
    expect(heard).toEqual(['reset', 'connected']);
    unsubscribe();
    controller.abort();
    await dialer.close();
  });
});
