import { expect, test } from 'vitest';
import { waitFor } from '../../client/cli/devnet/wait.js';
import { formatAddress } from '../../shared/model/address.js';
import { testKey } from '../kit/builders.js';
import { type NamespaceNode, Namespaces } from '../support/namespaces.js';

const LIMIT_MS = 120_000;
const address = formatAddress(testKey(1).address);

function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  return waitFor(look, { what, timeoutMs: LIMIT_MS / 2, signal: new AbortController().signal });
}

const tipOf = async ({ client }: NamespaceNode): Promise<string> => (await client.info.chain.query()).tip;
const peersOf = async ({ client }: NamespaceNode): Promise<number> => (await client.info.health.query()).peers;

test('three machines in a network find each other, relay a block, and are whole again after one was unplugged', {
  timeout: LIMIT_MS,
}, async ({ skip }) => {
  const whyNot = await Namespaces.whyNot();
  if (whyNot !== undefined) skip(whyNot);
  await using machines = await Namespaces.make(3);
  const first = await machines.startNode(0, []);
  // Neither of these knows of the other, and the first knows of nobody.
  const [second, third] = await Promise.all([machines.startNode(1, [first.url]), machines.startNode(2, [first.url])]);
  const all = [first, second, third];
  for (const node of all) await until('all know each other', async () => (await peersOf(node)) === 2);

  await second.client.block.generate.mutate({ address, count: 1 });
  for (const node of all) await until('one tip', async () => (await tipOf(node)) === (await tipOf(second)));

  const before = await tipOf(third);
  await machines.cut(2);
  await first.client.block.generate.mutate({ address, count: 2 });
  await until('the other has it', async () => (await tipOf(second)) === (await tipOf(first)));
  expect(await tipOf(third)).toBe(before);
  await machines.heal(2);
  await until('the third has it', async () => (await tipOf(third)) === (await tipOf(first)));
  await third.client.block.generate.mutate({ address, count: 1 });
  for (const node of all) await until('one tip', async () => (await tipOf(node)) === (await tipOf(third)));
});
