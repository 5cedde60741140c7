import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { present } from '../kit/assertOk.js';
import { runCli, startCli } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/isAlive.js';
import { temporaryDirectory } from '../support/temporary.js';

const decimal = z.string().regex(/^\d+$/);
const nodeReport = z.strictObject({
  name: z.string(),
  url: z.url(),
  height: z.int(),
  tip: z.string().regex(/^[0-9a-f]{64}$/),
  totalTransactions: z.int(),
  totalAddresses: z.int(),
  supply: decimal,
  richList: z.array(z.strictObject({ address: z.string(), balance: decimal })),
  mempool: z.literal(5),
  peakRssMb: z.int().max(250),
});
const report = z.strictObject({
  ok: z.literal(true),
  network: z.literal('dev'),
  durationMs: z.int(),
  transfersConfirmed: z.int().min(200),
  nodes: z.array(nodeReport).length(4),
  latecomer: z.strictObject({ blocks: z.int().min(20), transactions: z.int().min(20), ms: z.int() }),
  returned: z.strictObject({ missedBlocks: z.int().min(1), ms: z.int() }),
});

/** Processes whose parent is `pid`, by the system's own table. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(pid);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** A devnet that has come so far that nodes and a miner run. It is killed, and its files are gone, with its scope. */
async function runningDevnet() {
  const home = await temporaryDirectory();
  const devnet = startCli(['devnet'], { TMPDIR: home.path });
  const lines = createInterface({ input: present(devnet.stderr) });
  await new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      if (line.includes('wallets pay')) resolve();
    });
  });
  const children = childrenOf(present(devnet.pid));
  expect(children.length).toBe(5);
  const [folder = ''] = await readdir(home.path);
  return {
    devnet,
    children,
    logs: join(home.path, folder),
    [Symbol.asyncDispose]: async () => {
      devnet.kill('SIGKILL');
      await eventually('all children end', async () => !children.some(isAlive));
      await home[Symbol.asyncDispose]();
    },
  };
}

describe('devnet', () => {
  test('the whole scenario: a directory, nodes, miners, payments, an absence, a latecomer, and all agree', {
    timeout: 120_000,
  }, async () => {
    const { code, json, stderr } = await runCli(['devnet', '--once', '--json']);
    expect(code, stderr).toBe(0);
    const { nodes } = report.parse(json);
    expect(nodes.map(({ name }) => name)).toEqual(['A', 'B', 'C', 'D']);
    const shared = nodes.map(({ name: _name, url: _url, peakRssMb: _peak, ...rest }) => rest);
    for (const other of shared) expect(other).toEqual(shared[0]);
    expect(new Set(nodes.map(({ url }) => url)).size).toBe(4);
    const [first] = nodes;
    const held = first?.richList.reduce((sum, { balance }) => sum + BigInt(balance), 0n);
    expect(held).toBe(BigInt(present(first).supply));
    expect(held).toBe(150_000_000n * BigInt(present(first).height));
  });

  test.runIf(process.platform === 'linux')(
    'killed at once, it leaves no child behind',
    { timeout: 60_000 },
    async () => {
      await using running = await runningDevnet();
      const { devnet, children } = running;
      devnet.kill('SIGKILL');
      await eventually('all children end', async () => !children.some(isAlive));
    },
  );

  test.runIf(process.platform === 'linux')(
    'a node that dies is noticed at once: it is named, the rest is stopped, and the logs stay',
    { timeout: 60_000 },
    async () => {
      await using running = await runningDevnet();
      const { devnet, children, logs } = running;
      let said = '';
      devnet.stderr?.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8');
      });
      const exit = new Promise<number | null>((resolve) => devnet.once('close', resolve));
      process.kill(present(children[2]), 'SIGKILL');
      expect(await exit).toBe(1);
      expect(said).toMatch(/(A|B|C) died: SIGKILL \(the logs are in /);
      expect(children.filter(isAlive)).toEqual([]);
      expect(existsSync(logs)).toBe(true);
    },
  );

  test.runIf(process.platform === 'linux')(
    'interrupted, it stops everything and says nothing of failure',
    { timeout: 60_000 },
    async () => {
      await using running = await runningDevnet();
      const { devnet, children, logs } = running;
      const exit = new Promise<number | null>((resolve) => devnet.once('exit', resolve));
      devnet.kill('SIGINT');
      expect(await exit).toBe(0);
      expect(children.filter(isAlive)).toEqual([]);
      expect(existsSync(logs)).toBe(false);
    },
  );
});
