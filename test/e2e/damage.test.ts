import { spawn } from 'node:child_process';
import { cp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../client/createClient.js';
import { startDirectory } from '../../server/directory.js';
import { toBase64 } from '../../shared/bytes/base64.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { present } from '../kit/assertOk.js';
import { TestChain } from '../kit/testChain.js';
import { payingBlock } from '../support/branchyStore.js';
import { runCli } from '../support/cli.js';
import { damageRuns, seeded } from '../support/damage.js';
import { failureFrom } from '../support/failureFrom.js';
import type { OpenJob, OpenReport } from '../support/openStores.js';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.js';
import { type TestNode, testNode } from '../support/testNode.js';

const OPENER = fileURLToPath(new URL('../support/openStores.js', import.meta.url));
const REPAIRER = fileURLToPath(new URL('../support/reindexAndDie.js', import.meta.url));
const HEIGHT = 24;
/** More changes of the file system than a repair makes. */
const MOST_STEPS = 24;

/** A data directory as a node left it: closed, or killed. */
type How = 'closed' | 'killed';

let home: TemporaryDirectory;
/** A node with the whole chain, for what a repair has to fetch. */
let peer: TestNode;
let tip = '';
let state = '';

const original = (how: How): string => join(home.path, how);

beforeAll(async () => {
  home = await temporaryDirectory();
  peer = await testNode();
  const source = new TestChain();
  const trunk = source.grow(source.genesis, 3);
  while (trunk.length < HEIGHT) {
    const ripe = present(trunk[trunk.length - 3]);
    trunk.push(payingBlock(source, present(trunk.at(-1)), ripe));
  }
  {
    await using node = await testNode({ config: { dataDir: original('closed') } });
    for (const { raw } of trunk)
      for (const { client } of [node, peer]) await client.block.submit.mutate({ block: toBase64(raw) });
    tip = (await node.client.info.chain.query()).tip;
    // What a process that is killed now would leave.
    await cp(original('closed'), original('killed'), { recursive: true });
  }
  const [before] = await openAll([{ dataDir: await copyOf('closed', 'before') }]);
  state = present(before?.state);
}, 60_000);

afterAll(async () => {
  await peer[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

async function copyOf(how: How, name: string): Promise<string> {
  const dataDir = join(home.path, name);
  await rm(dataDir, { recursive: true, force: true });
  await cp(original(how), dataDir, { recursive: true });
  return dataDir;
}

/** Opens data directories one after the other in one other process, which must live to the end. */
async function openAll(jobs: readonly OpenJob[]): Promise<OpenReport[]> {
  const child = spawn(process.execPath, [OPENER], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<string>((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? String(code))),
  );
  child.stdin.end(jobs.map((job) => `${JSON.stringify(job)}\n`).join(''));
  const reports: OpenReport[] = [];
  for await (const line of createInterface({ input: child.stdout })) reports.push(JSON.parse(line) as OpenReport);
  expect(await ended, `the end of the process, at ${jobs[reports.length]?.dataDir}`).toBe('0');
  return reports;
}

async function flip(file: string, offset: number, bit: number): Promise<void> {
  const bytes = await readFile(file);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ (1 << bit), offset);
  await writeFile(file, bytes);
}

/** What may come of damage: the same state as before, or a refusal, and after a repair the same state with every row right. */
function expectWholeOrRefused(report: OpenReport, what: string): void {
  if (report.first === 'open') expect(report.state, what).toBe(state);
  else expect(report.first, what).toBe('store-corrupt');
  if (report.repaired === undefined) return;
  expect(report.repaired, `${what}, repaired`).toBe(state);
  expect(report.differences, `${what}, verified`).toBe(0);
}

describe.each<How>(['closed', 'killed'])('a store that was %s', (how) => {
  test('a flipped bit anywhere in the data file leaves the same state, or is refused and repaired', async () => {
    const random = seeded(how === 'closed' ? 11 : 12);
    const { size } = await stat(join(original(how), 'chain', 'data.mdb'));
    const jobs: OpenJob[] = [];
    for (let run = 0; run < damageRuns(8); run++) {
      const dataDir = await copyOf(how, `${how}-flip-${run}`);
      await flip(join(dataDir, 'chain', 'data.mdb'), run % 4 === 0 ? random(8_192) : random(size), random(8));
      jobs.push(run % 3 === 0 ? { dataDir, peer: peer.url, tip } : { dataDir });
    }
    const reports = await openAll(jobs);
    for (const [i, report] of reports.entries()) expectWholeOrRefused(report, jobs[i]?.dataDir ?? '');
    expect(new Set(reports.map(({ first }) => first))).toEqual(new Set(['open', 'store-corrupt']));
  }, 300_000);

  test('each file cut short or gone: the chain’s data is refused and repaired, all else is made anew', async () => {
    const names = (await readdir(original(how), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(original(how).length + 1));
    expect(names).toEqual(expect.arrayContaining(['chain/data.mdb', 'chain/state', 'pool/data.mdb', 'operator-token']));
    const jobs: (OpenJob & { file: string; what: string })[] = [];
    // What lies beside the chain's data is the same in both.
    for (const file of names.filter((name) => how === 'killed' || /^chain.(data|state)/.test(name))) {
      const { size } = await stat(join(original(how), file));
      const lengths = [0, size >> 1, size - 1].filter((length) => length >= 0 && length < size);
      for (const length of [...new Set(lengths), undefined]) {
        const dataDir = await copyOf(how, `${how}-cut-${jobs.length}`);
        if (length === undefined) await rm(join(dataDir, file));
        else await truncate(join(dataDir, file), length);
        const what = `${file} ${length === undefined ? 'gone' : `cut to ${length} of ${size}`}`;
        jobs.push({ dataDir, file, what, ...(file === 'chain/data.mdb' ? { peer: peer.url, tip } : {}) });
      }
    }
    const reports = await openAll(jobs);
    for (const [i, report] of reports.entries()) {
      const job = present(jobs[i]);
      expectWholeOrRefused(report, job.what);
      // The last page of a file may be one that nothing uses.
      const mayBeUnused = how === 'killed' && job.what.startsWith('chain/data.mdb cut to') && !/ to 0 /.test(job.what);
      const isRefused = job.file === 'chain/data.mdb' && !mayBeUnused;
      if (!mayBeUnused) expect(report.first, job.what).toBe(isRefused ? 'store-corrupt' : 'open');
    }
  }, 300_000);
});

test('a repair that is killed at any step leaves the old store or the new one, and the next repair is whole', async () => {
  const damaged = await copyOf('closed', 'killed-repair');
  await truncate(join(damaged, 'chain', 'data.mdb'), 80_000);
  const repairUntil = async (dieAt: number): Promise<{ dataDir: string; how: unknown }> => {
    const dataDir = join(home.path, `killed-repair-${dieAt}`);
    await cp(damaged, dataDir, { recursive: true });
    const child = spawn(process.execPath, [REPAIRER, dataDir, String(dieAt)], { stdio: 'inherit' });
    return {
      dataDir,
      how: await new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code))),
    };
  };
  const killed: string[] = [];
  for (let isDone = false; !isDone && killed.length < MOST_STEPS; ) {
    const runs = await Promise.all([0, 1, 2].map((i) => repairUntil(killed.length + i)));
    for (const { dataDir, how } of runs) {
      if (how === 'SIGKILL') killed.push(dataDir);
      else expect(how).toBe(0);
    }
    isDone = runs.some(({ how }) => how === 0);
  }
  expect(killed.length).toBeGreaterThan(6);
  expect(killed.length).toBeLessThan(MOST_STEPS);
  const reports = await openAll(killed.map((dataDir) => ({ dataDir, peer: peer.url, tip })));
  const outcomes = reports.map(({ first }) => first);
  // The old store, up to the rename; from then on the new one.
  const swapped = outcomes.indexOf('open');
  expect(outcomes).toEqual(outcomes.map((_, i) => (i < swapped ? 'store-corrupt' : 'open')));
  expect(swapped).toBeGreaterThan(3);
  // Killed after the rename and before the marker speaks of the new file: that must not pass for damage.
  expect(outcomes.length - swapped).toBeGreaterThan(2);
  for (const { repaired } of reports.slice(0, swapped)) expect(repaired).toBe(state);
  for (const dataDir of killed) expect(await readdir(dataDir)).not.toContain('chain.new');
}, 120_000);

test('on the command line: refused with a hint, verified as damaged, repaired, and verified as whole', async () => {
  const dataDir = await copyOf('closed', 'command-line');
  await truncate(join(dataDir, 'chain', 'data.mdb'), 80_000);
  const place = ['--data-dir', dataDir, '--network', 'dev', '--json'];
  const refused = await runCli(['node', '--port', '0', ...place]);
  expect(refused).toMatchObject({ code: 1, json: { ok: false, error: { code: 'store-corrupt' } } });
  expect(refused.json).toMatchObject({ error: { hint: expect.stringContaining('trestle chain reindex') } });
  const damaged = await runCli(['chain', 'verify', ...place]);
  expect(damaged).toMatchObject({ code: 1, json: { ok: false, error: { code: 'store-corrupt' }, bySpace: {} } });
  const repaired = await runCli(['chain', 'reindex', ...place]);
  expect(repaired).toMatchObject({ code: 0, json: { ok: true } });
  const { kept, fetchFrom } = repaired.json as { kept: number; fetchFrom: number };
  expect([kept < HEIGHT, fetchFrom]).toEqual([true, kept + 1]);
  const whole = await runCli(['chain', 'verify', ...place]);
  expect(whole).toMatchObject({ code: 0, json: { ok: true, total: 0, height: kept } });
  const foreign = await runCli(['chain', 'reindex', '--data-dir', dataDir, '--network', 'test', '--json']);
  expect(foreign).toMatchObject({ code: 1, json: { error: { code: 'store-network' } } });
  const nowhere = await runCli(['chain', 'verify', '--data-dir', join(home.path, 'nowhere'), '--json']);
  expect(nowhere).toMatchObject({ code: 1, json: { error: { code: 'not-found' } } });
}, 120_000);

test('damage met while a node runs is told to the caller, and ends the node with its reason', async () => {
  const dataDir = await copyOf('closed', 'running');
  await using node = await testNode({ config: { dataDir } });
  const file = join(dataDir, 'chain', 'data.mdb');
  const raw = Buffer.from((await peer.client.block.raw.query({ block: 7 })).raw, 'base64');
  const bytes = await readFile(file);
  // The row's bytes in the file, wherever it lies: past the header, which also stands in the header's own row.
  for (let at = bytes.indexOf(raw.subarray(92, 160)); at >= 0; at = bytes.indexOf(raw.subarray(92, 160), at + 1))
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await writeFile(file, bytes, { flag: 'r+' });
  const reader = createClient({ url: node.url });
  expect(await failureFrom(reader.block.raw.query({ block: 7 }))).toEqual({
    code: 'store-corrupt',
    detail: '',
  });
  await node.running.stopped;
  expect(node.running.failure).toMatchObject({ code: 'store-corrupt' });
});

test('a damaged store that can be gathered again, the pool’s or a directory’s book, is put aside', async () => {
  const dataDir = join(home.path, 'directory');
  const config = { name: 'directory', port: 0, dataDir, allowPrivate: true, logLevel: 'silent' } as const;
  await (await startDirectory(NETWORKS.dev, config)).stop();
  await truncate(join(dataDir, 'book', 'data.mdb'), 5_000);
  await (await startDirectory(NETWORKS.dev, config)).stop();
  expect(await readdir(dataDir)).toEqual(expect.arrayContaining(['book', 'book.damaged']));
});
