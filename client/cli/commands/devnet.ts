import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { Command } from 'commander';
import { withAction } from '../command.js';
import { type Display, lineDisplay, liveDisplay } from '../devnet/display.js';
import { Network } from '../devnet/network.js';
import type { DevnetReport } from '../devnet/report.js';
import { runScenario } from '../devnet/scenario.js';
import type { Traffic } from '../devnet/traffic.js';
import { table } from '../output.js';
import { onStopSignal } from '../signals.js';

interface DevnetOptions {
  readonly json?: boolean;
  readonly once?: boolean;
}

/** `trestle devnet`: a whole network on this machine. `script` is what its processes are started from. */
export function devnetCommand(script: string): Command {
  const command = new Command('devnet')
    .description('run a whole network on this machine: a directory, nodes, miners, wallets that pay')
    .option('--once', 'end when the scenario has come to its end');
  return withAction<DevnetOptions>(command, async ({ once = false, json = false }, output) => {
    const folder = await mkdtemp(join(tmpdir(), 'trestle-devnet-'));
    const network = new Network(script, folder);
    const display = json || !process.stdout.isTTY ? lineDisplay() : liveDisplay(network);
    const interrupted = new AbortController();
    const interrupt = (): void => interrupted.abort(new Error('interrupted'));
    const forget = onStopSignal(interrupt);
    let traffic: Traffic | undefined;
    let failed = true;
    try {
      const report = await runScenario({
        network,
        signal: AbortSignal.any([interrupted.signal, network.lost]),
        onStep: (step) => display.step(step),
        onTraffic: (started) => {
          traffic = started;
          display.traffic(started);
        },
      });
      if (!once && traffic !== undefined) await goOn({ network, traffic, display, signal: interrupted.signal });
      await display.stop();
      if (once || json) output.result(report, summary(report));
      failed = false;
    } catch (error) {
      if (!interrupted.signal.aborted) throw withLogs(error, folder);
      failed = false;
      if (once || json) throw error;
    } finally {
      await display.stop();
      await traffic?.stop();
      await network.stop();
      forget();
      if (!failed) await rm(folder, { recursive: true, force: true });
    }
  });
}

/** Lets the network live on until somebody has seen enough. */
async function goOn(parts: {
  network: Network;
  traffic: Traffic;
  display: Display;
  signal: AbortSignal;
}): Promise<void> {
  const { network, traffic, display, signal } = parts;
  display.step('all agree; the network goes on');
  const [first, second] = traffic.payers;
  if (first !== undefined) await network.startMiner('A', first.address);
  if (second !== undefined) await network.startMiner('B', second.address);
  traffic.start();
  await new Promise<void>((resolve, reject) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
    network.lost.addEventListener('abort', () => reject(network.lost.reason));
  });
}

function withLogs(error: unknown, folder: string): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`${message} (the logs are in ${folder})`, { cause: error });
}

function summary({ nodes, transfersConfirmed, latecomer, returned, durationMs }: DevnetReport): string {
  const rows = nodes.map(({ name, height, tip, totalTransactions, totalAddresses, mempool, peakRssMb }) =>
    [name, height, tip.slice(0, 12), totalTransactions, totalAddresses, mempool, `${peakRssMb} MB`].map(String),
  );
  return [
    styleText('green', 'all nodes agree'),
    table([['node', 'height', 'tip', 'transactions', 'addresses', 'waiting', 'peak memory'], ...rows]),
    `${transfersConfirmed} payments confirmed in ${(durationMs / 1000).toFixed(1)} s`,
    `A missed ${returned.missedBlocks} blocks and caught up ${returned.ms} ms after its start`,
    `D fetched ${latecomer.blocks} blocks with ${latecomer.transactions} transactions ${latecomer.ms} ms after its start`,
  ].join('\n');
}
