import { expect, test } from 'vitest';
import { toBase64 } from '../../../shared/bytes/base64.js';
import { Traffic } from '../../kit/sim/traffic.js';
import type { Message } from '../../kit/sim/wire.js';

/** A wire on which a test says what is sent. */
class SpokenWire {
  readonly #listeners = new Set<(message: Message) => void>();

  listen(listener: (message: Message) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  say(way: string, path: string, body: unknown): void {
    const [from = '', to = ''] = way.split('>');
    for (const listener of this.#listeners) listener({ kind: 'answer', from, to, path, body: JSON.stringify(body) });
  }
}

test('traffic is counted by way and procedure, until nobody listens any more', () => {
  const wire = new SpokenWire();
  const traffic = new Traffic(wire);
  wire.say('n0>n1', 'node.ping', 1);
  wire.say('n0>n1', 'block.raw', 22);
  wire.say('n1>n0', 'node.ping', 333);
  traffic[Symbol.dispose]();
  wire.say('n0>n1', 'node.ping', 4444);
  expect([...traffic.counts()]).toEqual([
    ['n0>n1', 2],
    ['n1>n0', 1],
  ]);
  expect([...traffic.counts('block.raw')]).toEqual([['n0>n1', 1]]);
  expect(traffic.size).toBe(6);
});

test('bytes are found whatever they are packed into, and nowhere else', () => {
  const wire = new SpokenWire();
  using traffic = new Traffic(wire);
  const wanted = Uint8Array.from({ length: 90 }, (_, index) => index * 7);
  const others = Uint8Array.from({ length: 200 }, (_, index) => index);
  for (const before of [0, 1, 2, 3]) {
    const packed = new Uint8Array([...others.subarray(0, before), ...wanted, ...others]);
    wire.say(`n${before}>n9`, 'transaction.raw', { list: ['short', toBase64(packed)] });
  }
  wire.say('n4>n9', 'transaction.raw', { list: [toBase64(others), toBase64(wanted.subarray(1))] });
  expect([...traffic.carrying(wanted)]).toEqual([0, 1, 2, 3].map((node) => [`n${node}>n9`, 1]));
});
