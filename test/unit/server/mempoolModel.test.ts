import { expect, test } from 'vitest';
import { missingOf, runModel } from '../../model/run.js';

/** `npm run model -- --steps 10000` takes more. Nothing is really signed: see `test/model/world.ts`. */
const STEPS = 1_500;

test('random traffic, blocks, switches, restarts and time: the pool is what the rules make of it, step by step', async () => {
  const report = await runModel({ steps: STEPS, seed: 1 });
  expect(report.differences).toEqual([]);
  expect(report.steps).toBe(STEPS);
  // Where nothing happens, everybody agrees.
  expect(missingOf(report)).toEqual([]);
  expect(report.largestCluster).toBeGreaterThan(50);
}, 120_000);
