import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Launched, launch } from '../../client/cli/devnet/launch.js';
import { type Client, createClient } from '../../client/createClient.js';
import { toBase64 } from '../../shared/bytes/base64.js';
import { genesisBlock } from '../../shared/consensus/genesis.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import type { Block } from '../../shared/model/block.js';
import type { Transaction } from '../../shared/model/transaction.js';
import { present } from '../kit/assertOk.js';
import { testKey, transfer } from '../kit/builders.js';
import { TestChain } from '../kit/testChain.js';
import { runCli, SCRIPT } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { failureFrom } from '../support/failureFrom.js';
import { smallDisk, whyNoSmallDisk } from '../support/smallDisk.js';
import { temporaryDirectory } from '../support/temporary.js';
import { testNode } from '../support/testNode.js';
import type { Acknowledged } from './scenario.js';
import { findDamage } from './verify.js';

const WHY_NOT = whyNoSmallDisk();
const LIMIT_MS = 120_000;
const DISK_BYTES = 3_000_000;

interface RunningNode extends AsyncDisposable {
  readonly pid: number;
  readonly client: Client;
  stop(): Promise<void>;
}

async function startedNode(dataDir: string, logDir: string, ...more: readonly string[]): Promise<RunningNode> {
  const args = ['node', '--network', 'dev', '--port', '0', '--data-dir', dataDir, ...more];
  const node: Launched = await launch(SCRIPT, { name: 'node', args, logFile: join(logDir, 'node.log') });
  const stop = (): Promise<void> => node.stop();
  return { pid: node.pid, client: createClient({ url: node.url }), stop, [Symbol.asyncDispose]: stop };
}

const submitBlock = ({ client }: RunningNode, block: Block) =>
  client.block.submit.mutate({ block: toBase64(block.raw) });
const submitTransaction = ({ client }: RunningNode, transaction: Transaction) =>
  client.transaction.submit.mutate({ transaction: toBase64(transaction.raw) });

/** Five blocks, and a transfer of each of their coins that is ripe. */
function money(): { source: TestChain; blocks: Block[]; transfers: Transaction[] } {
  const source = new TestChain();
  const blocks = source.grow(source.genesis, 6);
  const transfers = blocks.slice(0, 4).map((block) => {
    const spend = source.coinOf(block);
    const outputs = [{ address: testKey(2).address, value: spend.coin.value - 10_000n }];
    return transfer({ genesis: source.genesis.header.hash, spend: [spend], outputs });
  });
  return { source, blocks, transfers };
}

describe.skipIf(WHY_NOT !== undefined)(`a full disk${WHY_NOT === undefined ? '' : ` (left out: ${WHY_NOT})`}`, () => {
  test(
    'is told to whoever submits, costs nothing that was answered for, marks nothing invalid, and ends with its cause',
    async () => {
      await using home = await temporaryDirectory();
      using disk = smallDisk(DISK_BYTES);
      const { source, blocks, transfers } = money();
      const [first, second, third] = transfers;
      const acknowledged: Acknowledged = { blocks: [], transactions: [] };
      const dataDir = join(disk.path, 'data');
      const tip = present(blocks.at(-1));
      const next = source.extend(tip);
      const side = source.extend(present(blocks.at(-2)));
      const onSide = source.extend(side);
      {
        await using node = await startedNode(dataDir, home.path);
        const took = async (block: Block): Promise<void> => {
          acknowledged.blocks.push((await submitBlock(node, block)).hash);
        };
        for (const block of blocks) await took(block);
        await submitTransaction(node, present(first));
        acknowledged.transactions.push(present(first));
        disk.fill();
        for (let round = 0; round < 8; round++) {
          for (const block of [next, side])
            expect(await failureFrom(submitBlock(node, block))).toMatchObject({ code: 'store-full' });
          expect(await failureFrom(submitTransaction(node, present(second)))).toMatchObject({ code: 'store-full' });
        }
        expect(await node.client.info.chain.query()).toMatchObject({ height: 6, tip: tip.header.hash });
        expect((await node.client.transaction.list.query({ limit: 10 })).items).toHaveLength(1);
        expect((await node.client.block.get.query({ block: 3 })).hash).toBe(blocks[2]?.header.hash);
        expect((await node.client.info.health.query()).ok).toBe(true);
        disk.free();
        await took(side);
        await took(next);
        await submitTransaction(node, present(second));
        acknowledged.transactions.push(present(second));
        await took(onSide);
        // The heavier branch has not won: it is as long as ours.
        expect((await node.client.block.last.query()).hash).toBe(next.header.hash);
        disk.fill();
      }
      {
        await using again = await startedNode(dataDir, home.path);
        expect((await again.client.block.last.query()).hash).toBe(next.header.hash);
        expect((await again.client.transaction.list.query({ limit: 10 })).items).toHaveLength(2);
        const last = source.extend(onSide);
        expect(await failureFrom(submitBlock(again, last))).toMatchObject({ code: 'store-full' });
        disk.free();
        expect(await submitBlock(again, last)).toMatchObject({ status: 'connected' });
        acknowledged.blocks.push(last.header.hash);
        await submitTransaction(again, present(third));
        acknowledged.transactions.push(present(third));
      }
      expect(await findDamage(dataDir, acknowledged)).toEqual({ lost: [], mismatches: [] });
    },
    LIMIT_MS,
  );

  test(
    'that fills amid a switch of branches leaves a valid chain, and the switch is gone on with once there is room',
    async () => {
      await using home = await temporaryDirectory();
      const { source, blocks, transfers } = money();
      const root = present(blocks.at(-1));
      const old = source.extend(root, { transactions: transfers, fees: 40_000n });
      const branch = source.grow(root, 2);
      const stops = new Set<string>();
      // What little is left decides at which of its commits the switch stops.
      for (let left = 140_000; left <= 420_000; left += 70_000) {
        using disk = smallDisk(DISK_BYTES);
        const dataDir = join(disk.path, 'data');
        {
          await using node = await startedNode(dataDir, home.path);
          for (const block of [...blocks, old]) await submitBlock(node, block);
          const [first, second] = branch;
          await submitBlock(node, present(first));
          disk.fill(left);
          const outcome = await submitBlock(node, present(second)).then(
            ({ status }) => status,
            async (error: unknown) => (await failureFrom(Promise.reject(error))).code,
          );
          const { hash, height } = await node.client.block.last.query();
          stops.add(`${outcome} at ${height}`);
          expect(['store-full', 'connected']).toContain(outcome);
          disk.free();
          const top = source.extend(present(second));
          if (outcome === 'store-full' && hash !== present(second).header.hash)
            await submitBlock(node, present(second));
          expect(await submitBlock(node, top)).toMatchObject({ status: 'connected' });
        }
        const kept = { blocks: [...blocks, old, ...branch].map(({ header }) => header.hash), transactions: transfers };
        expect(await findDamage(dataDir, kept)).toEqual({ lost: [], mismatches: [] });
      }
      expect(stops.size).toBeGreaterThan(1);
    },
    LIMIT_MS,
  );

  test(
    'under the waiting transactions alone stops these, and blocks go on; under the chain alone, the other way round',
    async () => {
      const { source, blocks, transfers } = money();
      const next = source.extend(present(blocks.at(-1)));
      const [first, second] = transfers;
      for (const full of ['pool', 'chain']) {
        await using home = await temporaryDirectory();
        const dataDir = join(home.path, 'data');
        await mkdir(join(dataDir, full), { recursive: true });
        using disk = smallDisk(DISK_BYTES, join(dataDir, full));
        {
          await using node = await startedNode(dataDir, home.path);
          for (const block of blocks) await submitBlock(node, block);
          await submitTransaction(node, present(first));
          disk.fill();
          const [block, payment] = [submitBlock(node, next), submitTransaction(node, present(second))];
          expect(await failureFrom(full === 'pool' ? payment : block)).toMatchObject({ code: 'store-full' });
          await (full === 'pool' ? block : payment);
          disk.free();
          if (full === 'pool') await submitTransaction(node, present(second));
          else await submitBlock(node, next);
        }
        const kept = { blocks: [...blocks, next].map(({ header }) => header.hash), transactions: [first, second] };
        expect(await findDamage(dataDir, { ...kept, transactions: kept.transactions.map(present) })).toEqual({
          lost: [],
          mismatches: [],
        });
      }
    },
    LIMIT_MS,
  );

  test.each([0, 8_192])(
    'with %i bytes left: a new node says so and leaves nothing that stands in the way of the next start',
    async (left) => {
      await using home = await temporaryDirectory();
      using disk = smallDisk(DISK_BYTES);
      disk.fill(left);
      const dataDir = join(disk.path, 'data');
      for (const command of ['node', 'directory']) {
        const { code, json } = await runCli([command, '--port', '0', '--data-dir', dataDir, '--json']);
        expect([code, json]).toMatchObject([1, { error: { code: 'store-full' } }]);
      }
      disk.free();
      await using node = await startedNode(dataDir, home.path);
      expect((await node.client.block.last.query()).hash).toBe(genesisBlock(NETWORKS.dev).header.hash);
    },
    LIMIT_MS,
  );

  test(
    'of a node that follows others keeps it where it is, and it catches up by itself once there is room',
    async () => {
      await using home = await temporaryDirectory();
      using disk = smallDisk(DISK_BYTES);
      await using source = await testNode();
      await using node = await startedNode(join(disk.path, 'data'), home.path, '--peer', source.url);
      const height = async (): Promise<number> => (await node.client.info.chain.query()).height;
      const reach = (wanted: number) => eventually(`height ${wanted}`, async () => (await height()) === wanted);
      await source.client.block.generate.mutate({ address: testKey(1).address, count: 2 });
      await reach(2);
      disk.fill();
      await source.client.block.generate.mutate({ address: testKey(1).address, count: 2 });
      const log = join(home.path, 'node.log');
      await eventually(
        'a failure',
        async () => (await readFile(log, 'utf8')).includes('the disk is full') || undefined,
      );
      expect(await height()).toBe(2);
      disk.free();
      await reach(4);
    },
    LIMIT_MS,
  );

  test('a key file that finds no room leaves nothing behind', async () => {
    using disk = smallDisk(DISK_BYTES);
    disk.fill();
    const file = join(disk.path, 'wallet.json');
    const created = await runCli(['wallet', 'create', '--file', file, '--json'], { TRESTLE_PASSPHRASE: 'x' });
    expect([created.code, created.json]).toMatchObject([1, { error: { code: 'wallet-file' } }]);
    expect(await readdir(disk.path)).toEqual(['filler']);
  });
});

describe.skipIf(WHY_NOT !== undefined)(`a disk that cannot be written to`, () => {
  test(
    'is told by node, directory and wallet, and no longer once it can',
    async () => {
      await using home = await temporaryDirectory();
      using disk = smallDisk(DISK_BYTES);
      const dataDir = join(disk.path, 'data');
      await (await startedNode(dataDir, home.path)).stop();
      disk.setReadOnly(true);
      for (const [command, directory] of [
        ['node', dataDir],
        ['node', join(disk.path, 'new')],
        ['directory', join(disk.path, 'other')],
      ] as const) {
        const { code, json } = await runCli([command, '--port', '0', '--data-dir', directory, '--json']);
        expect([code, json]).toMatchObject([1, { error: { code: 'store-readonly' } }]);
      }
      const file = join(disk.path, 'wallet.json');
      const created = await runCli(['wallet', 'create', '--file', file, '--json'], { TRESTLE_PASSPHRASE: 'x' });
      expect([created.code, created.json]).toMatchObject([
        1,
        { error: { code: 'wallet-file', message: expect.stringContaining('EROFS') } },
      ]);
      disk.setReadOnly(false);
      await using again = await startedNode(dataDir, home.path);
      expect((await again.client.info.chain.query()).height).toBe(0);
    },
    LIMIT_MS,
  );
});
