import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { within } from '../../../client/links.js';
import { httpDialer } from '../../../server/net/dialer.js';
import { parsePeerUrl } from '../../../server/net/peerUrl.js';
import { systemClock } from '../../../server/system/clock.js';
import { TrestleError } from '../../../shared/errors.js';
import { present } from '../../kit/assertOk.js';
import { Gate } from '../../kit/processes/gate.js';
import { gatedDialer } from '../../kit/processes/gatedDialer.js';
import { failureFrom } from '../../support/failureFrom.js';
import { fakeNode } from '../../support/fakeNode.js';

const NONCE = 'ab'.repeat(16);

/** A gate, and a dialer behind it. */
function gatedDialing() {
  const gate = new Gate();
  const signal = new AbortController().signal;
  const dialer = gatedDialer(httpDialer({ allowPrivate: true, clock: systemClock, signal }), gate);
  return { gate, dialer, [Symbol.asyncDispose]: () => dialer.close() };
}

test('what is not cut passes as it is: answers, failures with their reasons, and time limits', async () => {
  await using node = await fakeNode({
    answers: { 'block.announce': () => new TrestleError({ code: 'busy', detail: 'later' }) },
  });
  await using near = gatedDialing();
  near.gate.set([
    { url: node.url, out: false, in: false },
    { url: 'http://127.0.0.1:1', out: true, in: true },
  ]);
  const client = near.dialer.dial(present(parsePeerUrl(node.url)));
  expect(await client.node.confirm.query({ nonce: NONCE })).toEqual({ mine: true });
  expect(await client.transaction.announce.mutate({ wtxids: [] })).toEqual({ wanted: 0 });
  expect(await failureFrom(client.block.announce.mutate({ header: '' }))).toMatchObject({ code: 'busy' });
  expect(node.calls.map(({ path, input }) => [path, input])).toEqual([
    ['node.confirm', { nonce: NONCE }],
    ['transaction.announce', { wtxids: [] }],
    ['block.announce', { header: '' }],
  ]);
});

test('where the way out is cut, the other side never hears of a call', async () => {
  await using node = await fakeNode();
  await using near = gatedDialing();
  const client = near.dialer.dial(present(parsePeerUrl(node.url)));
  near.gate.set([{ url: node.url, out: true, in: false }]);
  const reason = { code: 'peer-unreachable', url: node.url, detail: 'cut off' };
  expect(await failureFrom(client.node.ping.query())).toEqual(reason);
  expect(node.calls).toEqual([]);
  near.gate.set([]);
  await client.node.ping.query();
  expect(node.calls).toHaveLength(1);
});

test('where the way in is cut, the other side does what it is asked, and its answer or its refusal is lost', async () => {
  await using node = await fakeNode({
    answers: { 'block.announce': () => new TrestleError({ code: 'busy', detail: 'later' }) },
  });
  await using near = gatedDialing();
  const client = near.dialer.dial(present(parsePeerUrl(node.url)));
  near.gate.set([{ url: node.url, out: false, in: true }]);
  const reason = { code: 'peer-unreachable', url: node.url, detail: 'cut off amid the call' };
  expect(await failureFrom(client.transaction.announce.mutate({ wtxids: [] }))).toEqual(reason);
  expect(await failureFrom(client.block.announce.mutate({ header: '' }))).toEqual(reason);
  expect(node.calls.map(({ path }) => path)).toEqual(['transaction.announce', 'block.announce']);
});

test.each([
  { out: true, in: false },
  { out: false, in: true },
])('a call under way breaks off when %j is cut, long before its time limit', async (cut) => {
  await using near = gatedDialing();
  const server = createServer(() => near.gate.set([{ url, ...cut }]));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const client = near.dialer.dial(present(parsePeerUrl(url)), { timeoutMs: 60_000 });
    expect(await failureFrom(client.node.ping.query())).toEqual({
      ...{ code: 'peer-unreachable', url },
      detail: 'cut off amid the call',
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('a time limit of one call goes through the gate, and so does an abort of it', async () => {
  await using near = gatedDialing();
  const abort = new AbortController();
  const server = createServer(() => abort.abort());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = present(parsePeerUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  try {
    const client = near.dialer.dial(url, { timeoutMs: 60_000 });
    expect(await failureFrom(client.node.ping.query(undefined, within(20)))).toEqual({ code: 'timeout', limitMs: 20 });
    await expect(client.node.ping.query(undefined, { signal: abort.signal })).rejects.toThrow(/abort/i);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
