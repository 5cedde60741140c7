import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Signatures } from '../../server/ports.js';
import { layout } from '../../server/store/layout.js';
import { memoryKv } from '../../server/store/memoryKv.js';
import { testSignatures } from '../support/memoryChain.js';
import { emptyTally, runChain, type Tally } from './driver.js';
import type { Machine } from './real.js';

const SEED = 1;
/** Chains that `npm test` runs, in groups that each take a second. */
const GROUPS = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45];
const GROUP = 5;

async function run(from: number, { count, ...machine }: Partial<Machine> & { count: number }): Promise<Tally> {
  const tally = emptyTally();
  const signatures = machine.signatures ?? (await testSignatures());
  for (let chain = from; chain < from + count && tally.disagreements.length === 0; chain++)
    await runChain({ seed: SEED, chain }, { tally, ...machine, signatures });
  return tally;
}

describe('the naive validator and the real chain', () => {
  test.each(GROUPS)(`agree on ${GROUP} random chains from number %i on`, async (from) => {
    const { chains, disagreements, reorgsByDepth, answers } = await run(from, { count: GROUP });
    expect(disagreements).toEqual([]);
    expect(chains).toBe(GROUP);
    // Chains in which nothing happens would agree on everything.
    expect(reorgsByDepth.size).toBeGreaterThan(0);
    expect(answers.size).toBeGreaterThan(10);
  });

  test('a chain is the same whenever it is run', async () => {
    expect(await run(9, { count: 1 })).toEqual(await run(9, { count: 1 }));
  });
});

describe('the oracle finds', () => {
  test('signatures that nobody checks', async () => {
    const signatures: Signatures = {
      engine: 'none',
      check: async (checks) => checks.map(() => ({ ok: true, value: undefined })),
    };
    const { disagreements } = await run(17, { count: 1, signatures });
    expect(disagreements.map(({ detail }) => detail).join()).toContain('tx-signature-');
  });

  test.each([
    ['coins: row', layout.coin],
    ['coins by address', layout.addressCoin],
    ['history', layout.addressHistory],
    // The sums go wrong first: whoever has no transaction left still counts as an address.
    ['block connected: real', layout.balance],
    ['rich list', layout.rich],
    ['transactions', layout.txIndex],
  ])('rows that a reorganisation leaves behind: %s', async (told, { prefix }) => {
    const whole = memoryKv();
    const kv = {
      ...whole,
      commit: (batch: Parameters<typeof whole.commit>[0]) =>
        whole.commit(batch.filter(({ kind, key }) => kind === 'put' || key[0] !== prefix)),
    };
    const [found] = (await run(6, { count: 1, kv })).disagreements;
    expect(found?.detail).toContain(told);
  });
});

test('it shares no rule, codec or arithmetic with what it judges', () => {
  const root = fileURLToPath(new URL('../../../test/', import.meta.url));
  // These hand things to the real one, or read what it has stored.
  const between = [
    ...['account.ts', 'compare.ts', 'driver.ts', 'judgeChain.ts', 'main.ts', 'oracle.test.ts', 'real.ts', 'worker.ts'],
  ];
  const files = ['oracle', 'kit/model'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => !between.includes(name))
      .map((name) => join(root, folder, name)),
  );
  expect(files).toContain(join(root, 'kit/model/validator.ts'));
  const texts = files.map((file) => readFileSync(file, 'utf8'));
  const outside = texts.flatMap((text) => {
    const imports = Array.from(text.matchAll(/^import (?!type )[^;]*? from '([^']+)'/gm), ([, from]) => from ?? '');
    return imports.filter((from) => !/^(\.\/|\.\.\/kit\/model\/|@noble\/)/.test(from));
  });
  expect(outside).toEqual([]);
  const inside = texts.flatMap((text) =>
    Array.from(text.matchAll(/from '.*\/(\w+)\.js'/g), ([, from]) => `${from}.ts`),
  );
  expect(between.filter((name) => inside.includes(name))).toEqual([]);
});
