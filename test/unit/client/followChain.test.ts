import { expect, test } from 'vitest';
import { type ChainChange, type FollowOptions, followChain } from '../../../client/followChain.js';
import { toBase64 } from '../../../shared/bytes/base64.js';
import type { Block } from '../../../shared/model/block.js';
import { present } from '../../kit/assertOk.js';
import { TestChain } from '../../kit/testChain.js';
import { failureFrom } from '../../support/failureFrom.js';
import { type TestNode, testNode } from '../../support/testNode.js';

const connected = (blocks: readonly Block[]) => blocks.map(({ header }) => `connected ${header.hash}`);
const disconnected = (blocks: readonly Block[]) =>
  blocks.toReversed().map(({ header }) => `disconnected ${header.hash}`);

async function submit(node: TestNode, blocks: readonly Block[]): Promise<void> {
  for (const { raw } of blocks) await node.client.block.submit.mutate({ block: toBase64(raw) });
}

/** What a follower is told, as many at a time as are asked for. */
function follow(node: TestNode, options: FollowOptions) {
  const end = new AbortController();
  const changes = followChain(node.client, { pollMs: 1, signal: end.signal, ...options });
  return {
    async take(count: number): Promise<string[]> {
      const told: ChainChange[] = [];
      while (told.length < count) {
        const { value, done } = await changes.next();
        if (done) throw new Error('the changes ended');
        told.push(value);
      }
      return told.map(({ kind, block }) => `${kind} ${block.hash}`);
    },
    async end(): Promise<boolean | undefined> {
      end.abort();
      return (await changes.next()).done;
    },
  };
}

test('every change is told in order and once: growth, a change of branches, and growth again', async () => {
  await using node = await testNode();
  const source = new TestChain();
  const main = source.grow(source.genesis, 4);
  await submit(node, main.slice(0, 2));
  const follower = follow(node, { after: source.genesis.header.hash });
  expect(await follower.take(2)).toEqual(connected(main.slice(0, 2)));
  await submit(node, main.slice(2));
  expect(await follower.take(2)).toEqual(connected(main.slice(2)));
  const branch = source.grow(present(main[1]), 3);
  await submit(node, branch);
  expect(await follower.take(5)).toEqual([...disconnected(main.slice(2)), ...connected(branch)]);
  expect(await follower.end()).toBe(true);
});

test('the very block that a follower began with may leave, and those below it', async () => {
  await using node = await testNode();
  const source = new TestChain();
  const main = source.grow(source.genesis, 3);
  await submit(node, main);
  const branch = source.grow(source.genesis, 4);
  await submit(node, branch);
  const fromTip = follow(node, { after: present(main.at(-1)).header.hash });
  expect(await fromTip.take(7)).toEqual([...disconnected(main), ...connected(branch)]);
  const fromLost = follow(node, { after: present(main[1]).header.hash });
  expect(await fromLost.take(6)).toEqual([...disconnected(main.slice(0, 2)), ...connected(branch)]);
  expect(await Promise.all([fromTip.end(), fromLost.end()])).toEqual([true, true]);
});

test('a start that is not known is refused', async () => {
  await using node = await testNode();
  const unknown = new TestChain().extend(new TestChain().genesis).header.hash;
  expect((await failureFrom(followChain(node.client, { after: unknown }).next())).code).toBe('not-found');
});
