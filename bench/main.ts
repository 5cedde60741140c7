import { figureLines, median, type Result, table } from './report.js';
import { suites } from './suites.js';

/** How often each measurement is repeated; the median is quoted. */
const ROUNDS = 5;

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const json = process.argv.includes('--json');
const chosen = suites.filter(({ name }) => names.length === 0 || names.includes(name));
if (chosen.length === 0) {
  process.stderr.write(`no such suite; there are: ${suites.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}

const results: Result[] = [];
const figures: Record<string, Record<string, number | string>> = {};
for (const suite of chosen) {
  for (const { what, run } of await suite.measurements()) {
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const startedAt = performance.now();
      const count = await run();
      rates.push((count * 1000) / (performance.now() - startedAt));
    }
    const rate = median(rates);
    results.push({
      suite: suite.name,
      what,
      perSecond: Number(rate.toPrecision(4)),
      msEach: Number((1000 / rate).toPrecision(4)),
    });
  }
  if (suite.figures !== undefined) figures[suite.name] = await suite.figures();
}
const shown = [...(results.length === 0 ? [] : [table(results)]), ...Object.entries(figures).map(figureLines)];
process.stdout.write(`${json ? JSON.stringify({ rounds: ROUNDS, results, ...figures }) : shown.join('\n')}\n`);
