import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { waitFor } from '../../client/cli/devnet/wait.js';
import { createClient } from '../../client/createClient.js';
import { runCli, SCRIPT } from '../support/cli.js';
import { closedUrl } from '../support/closedUrl.js';
import { eventually } from '../support/eventually.js';
import { servingCli } from '../support/servingCli.js';
import { temporaryDirectory } from '../support/temporary.js';
import { testNode } from '../support/testNode.js';

const ADDRESS = '0x9858EfFD232B4033E47d90003D41EC34EcaEda94';
const summary = z.object({
  found: z.int(),
  accepted: z.int(),
  lost: z.int(),
  nodeChanges: z.int(),
  earned: z.string(),
});

/** The last line that a miner printed: what it came to. */
function summaryOf(said: string): z.output<typeof summary> {
  const lines = said.split('\n').filter((line) => line.startsWith('{"address"'));
  return summary.parse(JSON.parse(lines.at(-1) ?? ''));
}

const minerArgs = (urls: readonly string[], ...more: string[]): string[] => [
  'miner',
  '--address',
  ADDRESS,
  ...urls.flatMap((url) => ['--url', url]),
  ...more,
];

test('a miner goes over to its second node when the first is killed, comes back to it when it is there again, and tells at the end what it came to', {
  timeout: 120_000,
}, async () => {
  await using home = await temporaryDirectory();
  const port = new URL(await closedUrl()).port;
  const nodeArgs = ['node', '--port', port, '--data-dir', join(home.path, 'first'), '--log-level', 'warn'];
  const first = await servingCli(nodeArgs);
  const pid = pidOf(first.said());
  await using second = await testNode({ config: { peers: [first.url] } });
  await using miner = await servingCli(minerArgs([first.url, second.url], '--interval', '100'));
  const heightOf = async (url: string): Promise<number> => (await createClient({ url }).info.chain.query()).height;
  await eventually('blocks at the first', async () => (await heightOf(first.url)) >= 5);
  await eventually('the second follows', async () => (await heightOf(second.url)) >= 5);
  process.kill(pid, 'SIGKILL');
  const before = await heightOf(second.url);
  await eventually('blocks at the second', async () => (await heightOf(second.url)) >= before + 5);
  await using again = await servingCli([...nodeArgs, '--peer', second.url]);
  const mentions = (line: string): boolean => line.includes('"mining at"') && line.includes(again.url);
  const returns = (): number => miner.said().split('\n').filter(mentions).length;
  // It has to be well for ten seconds first.
  const patience = { what: 'mining at the first again', timeoutMs: 60_000, signal: new AbortController().signal };
  await waitFor(async () => returns() >= 2, patience);
  const { found, accepted, nodeChanges, earned } = summaryOf(await miner.end());
  expect(nodeChanges).toBeGreaterThanOrEqual(2);
  expect(accepted).toBeGreaterThanOrEqual(10);
  expect(found).toBeGreaterThanOrEqual(accepted);
  expect(BigInt(earned)).toBe(BigInt(accepted) * 150_000_000n);
});

test('a miner whose node is not there yet says so at once, and mines when it comes', async () => {
  await using home = await temporaryDirectory();
  const url = await closedUrl();
  await using miner = await servingCli(minerArgs([url], '--interval', '50'));
  expect(miner.said()).toMatch(/a node cannot be mined at/);
  expect(miner.said()).toMatch(/ECONNREFUSED/);
  await using _node = await servingCli(['node', '--port', new URL(url).port, '--data-dir', join(home.path, 'node')]);
  const client = createClient({ url });
  await eventually('blocks', async () => (await client.info.chain.query()).height >= 3);
});

test('a miner whose nodes are all of another network than the one named ends with a reason', async () => {
  await using node = await testNode();
  const result = await runCli([...minerArgs([node.url], '--network', 'test'), '--json']);
  expect([result.code, result.json]).toMatchObject([1, { ok: false, error: { code: 'peer-network' } }]);
});

test('a directory server is nothing to mine at', async () => {
  await using home = await temporaryDirectory();
  await using directory = await servingCli(['directory', '--port', '0', '--data-dir', home.path]);
  const result = await runCli([...minerArgs([directory.url]), '--json']);
  expect([result.code, result.json]).toMatchObject([1, { error: { code: 'peer-protocol' } }]);
});

test('a miner without an interval on a network without difficulty is warned', async () => {
  await using node = await testNode();
  await using miner = await servingCli(minerArgs([node.url], '--threads', '1'));
  await eventually('a warning', async () => miner.said().includes('--interval'));
});

/** Util-linux' `script` runs a command on a terminal of its own. */
const hasTerminals = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true;

test.skipIf(!hasTerminals)(
  'on a terminal a miner draws how it does; Ctrl-C ends it in order, with a sentence',
  async () => {
    await using node = await testNode();
    const command = [process.execPath, SCRIPT, ...minerArgs([node.url], '--interval', '50')].join(' ');
    const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', TERM: 'xterm' };
    const terminal = spawn('script', ['-qec', `stty cols 120 rows 24; exec ${command}`, '/dev/null'], { env });
    const closed = new Promise<number | null>((resolve) => terminal.once('close', resolve));
    try {
      let seen = '';
      terminal.stdout.on('data', (chunk: Buffer) => {
        seen += stripVTControlCharacters(chunk.toString('utf8'));
      });
      await eventually(
        'a picture',
        async () => /blocks +\d+ found, [1-9]/.test(seen) && seen.includes('block accepted'),
      );
      terminal.stdin.write('\u0003');
      expect(await closed).toBe(0);
      expect(seen).toMatch(/mined for \d+ s at .*accepted/);
    } finally {
      terminal.kill('SIGKILL');
    }
  },
);

function pidOf(said: string): number {
  return z.object({ pid: z.int() }).parse(JSON.parse(said.split('\n').find((line) => line.includes('"ready"')) ?? ''))
    .pid;
}
