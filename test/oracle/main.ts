import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { addTally, emptyTally, type Tally } from './driver.js';

/**
 * `oracle --chains N [--seed S] [--chain K] [--workers W] [--json]`: N random chains on the real chainstate and on the
 * naive one. `--chain` runs one of them alone, which is how a disagreement is replayed.
 */
const { values } = parseArgs({
  options: {
    chains: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    chain: { type: 'string' },
    workers: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});

/** Chains that a worker gets at once. */
const PORTION = 10;
/** How often progress is told. */
const EVERY_MS = 10_000;

const seed = wholeNumber('seed', values.seed);
const from = values.chain === undefined ? 0 : wholeNumber('chain', values.chain);
const to = values.chain === undefined ? wholeNumber('chains', values.chains) : from + 1;
const tally = emptyTally();
const startedAt = performance.now();
let toldAt = startedAt;
let next = from;

const workers = Math.max(1, Math.min(wholeNumber('workers', values.workers), Math.ceil((to - from) / PORTION)));
await Promise.all(Array.from({ length: workers }, runWorker));

say(`answers: ${JSON.stringify(Object.fromEntries([...tally.answers].sort()))}`);
const result = {
  chains: tally.chains,
  blocks: tally.blocks,
  reorgsByDepth: Object.fromEntries([...tally.reorgsByDepth].sort(([a], [b]) => a - b)),
  disagreements: tally.disagreements.length,
};
process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${inWords()}\n`);
process.exitCode = result.disagreements === 0 ? 0 : 1;

/** One thread, which gets its next portion when it is through with the last. */
async function runWorker(): Promise<void> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: { seed } });
  await new Promise<void>((resolve, reject) => {
    const goOn = (): void => {
      if (next >= to) {
        resolve();
        return;
      }
      const portion = { from: next, to: Math.min(next + PORTION, to) };
      next = portion.to;
      worker.postMessage(portion);
    };
    worker.on('message', (part: Tally) => {
      addTally(tally, part);
      for (const { chain, step, detail } of part.disagreements)
        say(`disagreement: --seed ${seed} --chain ${chain} at step ${step}: ${detail}`);
      tellProgress();
      goOn();
    });
    worker.on('error', reject);
    goOn();
  });
  await worker.terminate();
}

function tellProgress(): void {
  const now = performance.now();
  if (now - toldAt < EVERY_MS) return;
  toldAt = now;
  const seconds = Math.round((now - startedAt) / 1000);
  say(`${tally.chains} of ${to - from} chains, ${tally.blocks} blocks, ${seconds} s`);
}

function inWords(): string {
  const reorgs = [...tally.reorgsByDepth.values()].reduce((sum, times) => sum + times, 0);
  return `${tally.chains} chains, ${tally.blocks} blocks, ${reorgs} reorganisations, ${tally.disagreements.length} disagreements`;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) {
    say(`--${name} takes a whole number, not ${text}`);
    process.exit(2);
  }
  return number;
}
