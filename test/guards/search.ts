import { argv } from 'node:process';
import * as z from 'zod';
import type { runScenario } from '../kit/campaign/runScenario.js';
import type { scenarioOf } from '../kit/campaign/scenario.js';

/**
 * Runs seed after seed of a changed program until one fails, and prints which: `{"seed","invariant","message"}`, or `null`
 * where all passed. Called with the addresses of the two modules it takes from that program, and the seeds.
 */
const [runModule, scenarioModule, ...numbers] = z.tuple([z.string(), z.string()]).rest(z.string()).parse(argv.slice(2));
const [from = 1, to = 200, nodes = 5] = numbers.map(Number);
const { runScenario: run }: { runScenario: typeof runScenario } = await import(runModule);
const { scenarioOf: plan }: { scenarioOf: typeof scenarioOf } = await import(scenarioModule);

let found: { seed: number; invariant: string; message: string } | null = null;
for (let seed = from; seed <= to && found === null; seed++) {
  const { failure } = await run(plan(seed, nodes));
  if (failure !== undefined) found = { seed, invariant: failure.invariant, message: failure.message };
}
process.stdout.write(`${JSON.stringify(found)}\n`);
// A program without one of its guards may have left something waiting.
process.exit(0);
