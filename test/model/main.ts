import { parseArgs } from 'node:util';
import { missingOf, runModel } from './run.js';

/** `model [--steps 10000] [--seed 1]`: random steps with the real mempool and with the naive one, side by side. */
const { values } = parseArgs({
  options: { steps: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
});
const [steps, seed] = [Number(values.steps), Number(values.seed)];
if (!Number.isInteger(steps) || steps < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('usage: model [--steps 10000] [--seed 1]\n');
  process.exit(2);
}
const startedAt = performance.now();
const report = await runModel({ steps, seed });
for (const difference of report.differences) process.stderr.write(`${difference}\n`);
const missing = missingOf(report);
for (const each of missing) process.stderr.write(`never happened: ${each}\n`);
const { kinds, answers, left, differences, ...figures } = report;
const seconds = Math.round((performance.now() - startedAt) / 1000);
const counts = { kinds: sorted(kinds), answers: sorted(answers), left: sorted(left) };
process.stdout.write(
  `${JSON.stringify({ ...figures, differences: differences.length, seed, seconds, ...counts, missing })}\n`,
);
process.exitCode = differences.length === 0 ? 0 : 1;

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort());
}
