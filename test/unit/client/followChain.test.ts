import { expect, test } from 'vitest';
import { type ChainChange, followChain } from '../../../client/followChain.js';
import { toBase64 } from '../../../shared/bytes/base64.js';
import type { Block } from '../../../shared/model/block.js';
import { present } from '../../kit/assertOk.js';
import { failureFrom } from '../../kit/failureFrom.js';
import { TestChain } from '../../kit/testChain.js';
import { testNode } from '../../kit/testNode.js';

test('every change is told in order and once: growth, a change of branches, and growth again', async () => {
  await using node = await testNode();
  const submit = async (blocks: readonly Block[]): Promise<void> => {
    for (const { raw } of blocks) await node.client.block.submit.mutate({ block: toBase64(raw) });
  };
  const source = new TestChain();
  const main = source.grow(source.genesis, 4);
  await submit(main.slice(0, 2));
  const end = new AbortController();
  const told: ChainChange[] = [];
  const changes = followChain(node.client, { after: source.genesis.header.hash, pollMs: 1, signal: end.signal });
  const take = async (count: number): Promise<void> => {
    for (const wanted = told.length + count; told.length < wanted; ) {
      const { value, done } = await changes.next();
      if (done) throw new Error('the changes ended');
      told.push(value);
    }
  };
  await take(2);
  await submit(main.slice(2));
  await take(2);
  const branch = source.grow(present(main[1]), 3);
  await submit(branch);
  await take(5);
  const story = told.map(({ kind, block }) => `${kind} ${block.hash}`);
  expect(story).toEqual([
    ...main.map(({ header }) => `connected ${header.hash}`),
    ...[...main.slice(2)].reverse().map(({ header }) => `disconnected ${header.hash}`),
    ...branch.map(({ header }) => `connected ${header.hash}`),
  ]);
  end.abort();
  expect((await changes.next()).done).toBe(true);
});

test('a start that is not known is refused', async () => {
  await using node = await testNode();
  const unknown = new TestChain().extend(new TestChain().genesis).header.hash;
  expect((await failureFrom(followChain(node.client, { after: unknown }).next())).code).toBe('not-found');
});
