import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { present } from '../kit/assertOk.js';
import { runCli, startCli } from '../kit/cli.js';
import { eventually } from '../kit/eventually.js';

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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A devnet that has come so far that nodes and a miner run. */
async function runningDevnet() {
  const devnet = startCli(['devnet']);
  const lines = createInterface({ input: present(devnet.stderr) });
  await new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      if (line.includes('wallets pay')) resolve();
    });
  });
  const children = childrenOf(present(devnet.pid));
  expect(children.length).toBe(5);
  return { devnet, children };
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
      const { devnet, children } = await runningDevnet();
      devnet.kill('SIGKILL');
      await eventually('all children end', async () => !children.some(isAlive));
    },
  );

  test.runIf(process.platform === 'linux')(
    'interrupted, it stops everything and says nothing of failure',
    { timeout: 60_000 },
    async () => {
      const { devnet, children } = await runningDevnet();
      const exit = new Promise<number | null>((resolve) => devnet.once('exit', resolve));
      devnet.kill('SIGINT');
      expect(await exit).toBe(0);
      expect(children.filter(isAlive)).toEqual([]);
    },
  );
});
