import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary.js';
import { testNode } from '../support/testNode.js';
import { runCampaign } from './campaign.js';
import { type Acknowledged, playScenario } from './scenario.js';
import { runStruck } from './struckProcess.js';
import { findDamage } from './verify.js';

/** Processes of their own take their time on a busy machine. */
const LIMIT_MS = 300_000;
/** Every so many write points one is struck; `npm run crash` strikes them all. */
const STRIDE = 20;
/** The steps of a start that are stopped at here: one in so many. */
const STOP_STRIDE = 3;

/** Does something with each, two at a time. */
async function forEach<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await action(item);
  };
  await Promise.all([worker(), worker()]);
}

function nodeArgs(directory: string): string[] {
  return ['node', '--network', 'dev', '--port', '0', '--data-dir', directory, '--json'];
}

test(
  'a node that is killed while it writes, and again while it recovers, loses nothing that it has answered for',
  async () => {
    await using home = await temporaryDirectory();
    const problems: string[] = [];
    let recoveries = 3;
    const tally = await runCampaign({
      home: home.path,
      parallel: 2,
      choose: (points) => {
        expect(points.filter((point) => /^commit chain: half-way/.test(point)).length).toBeGreaterThan(20);
        return points.flatMap((_point, index) => (index % STRIDE === 3 ? [index + 1] : []));
      },
      chooseRecovery: (writes) => {
        if (writes.length < 9 || recoveries === 0) return [];
        recoveries -= 1;
        return writes.slice(-5, -4);
      },
      report: (line) => problems.push(line),
    });
    expect(tally, problems.join('\n')).toMatchObject({ acknowledgedLost: 0, replayMismatches: 0 });
    expect(tally.writePointsKilled).toBeGreaterThanOrEqual(8);
    expect(tally.recoveriesKilled).toBeGreaterThanOrEqual(2);
  },
  LIMIT_MS,
);

test(
  'a node that is told to stop amid its start ends well, at whichever step, and the next start finds nothing amiss',
  async () => {
    await using home = await temporaryDirectory();
    const whole = await runStruck({ args: nodeArgs(join(home.path, 'whole')), session: async () => {} });
    expect([whole.code, whole.wasReady]).toEqual([0, true]);
    const steps = whole.pointsOfStart;
    expect(steps).toEqual(
      expect.arrayContaining(['write operator-token: half-way', 'commit chain: half-way', 'a line of the log: after']),
    );
    // A signal is heard between two turns of the loop: half-way through a write to a file is as good as after it.
    const heard = [...steps.keys()]
      .filter((index) => !/^write .*: half-way$/.test(steps[index] ?? ''))
      .filter((_, i) => i % STOP_STRIDE === 0);
    await forEach(heard, async (index) => {
      const directory = join(home.path, `step-${index}`);
      const { code, signal, stderr } = await runStruck({
        args: nodeArgs(directory),
        strike: { at: index + 1, by: 'SIGTERM' },
      });
      expect([steps[index], code, signal], stderr).toEqual([steps[index], 0, null]);
      await using node = await testNode({ config: { dataDir: directory } });
      expect((await node.client.info.chain.query()).height).toBe(0);
    });
  },
  LIMIT_MS,
);

test(
  'a node whose disk fails ends with a failure that says so, and the next start finds all that was answered for',
  async () => {
    await using home = await temporaryDirectory();
    const whole = await runStruck({ args: nodeArgs(join(home.path, 'whole')), session: async () => {} });
    const commits = whole.points.filter((point) => point.startsWith('commit chain')).length;
    const afterStart = whole.pointsOfStart.length + 1;
    for (const [at, isServing] of [
      [whole.points.indexOf('commit chain: half-way') + 1, false],
      [afterStart + commits, true],
    ] as const) {
      const directory = join(home.path, `at-${at}`);
      const acknowledged: Acknowledged = { blocks: [], transactions: [] };
      const { code, stdout, wasReady } = await runStruck({
        args: nodeArgs(directory),
        strike: { at, by: 'EIO' },
        session: (url) => playScenario(url, directory, acknowledged).catch(() => {}),
      });
      expect([code, wasReady, stdout]).toEqual([1, isServing, expect.stringContaining('Input/output error')]);
      expect(acknowledged.blocks.length > 0).toBe(isServing);
      expect(await findDamage(directory, acknowledged)).toEqual({ lost: [], mismatches: [] });
    }
  },
  LIMIT_MS,
);
