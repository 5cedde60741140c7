import { parseArgs } from 'node:util';
import { fuzzCodecs } from './codecs.js';
import type { Failure } from './run.js';
import { runFuzz } from './run.js';

/** The event loop may be busy for so long, 99 times of 100; time in which others had the processor is not its own. */
const MAX_DELAY_MS = 50;
/** The most characters of an input that a failure shows; the seed and the case's name make all of it again. */
const MAX_SHOWN = 2_000;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now()) },
    only: { type: 'string' },
    codecs: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const cases = Number(values.cases);
if (!Number.isInteger(cases) || cases < 1) {
  process.stderr.write('usage: fuzz [--cases 1000] [--seed 7] [--only block.] [--codecs] [--json]\n');
  process.exit(2);
}
const passed = values.codecs ? codecs() : await procedures();
process.exitCode = passed ? 0 : 1;

function codecs(): boolean {
  const { faults, ...figures } = fuzzCodecs({ buffers: cases, seed: values.seed });
  for (const fault of faults) process.stderr.write(`seed ${values.seed}: ${fault}\n`);
  print({ ...figures, faults: faults.length });
  return faults.length === 0;
}

async function procedures(): Promise<boolean> {
  const startedAt = performance.now();
  const report = await runFuzz({ cases, seed: values.seed, only: values.only });
  const { failures, unreached, loggedFailures, alive, stateUnchanged, delay } = report;
  for (const failure of failures) process.stderr.write(`${describe(failure)}\n`);
  for (const path of unreached) process.stderr.write(`${path} was never reached\n`);
  for (const logged of loggedFailures) process.stderr.write(`the node's log: ${logged.slice(0, MAX_SHOWN)}\n`);
  if (!values.json)
    for (const [path, codes] of report.codes)
      process.stdout.write(`${path}  ${Array.from(codes, ([code, count]) => `${code} ${count}`).join(', ')}\n`);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  process.stderr.write(`seed ${values.seed}, ${seconds} s, longest delay of the event loop ${delay.ownMaxMs} ms\n`);
  const count = (kind: Failure['kind']): number => failures.filter((failure) => failure.kind === kind).length;
  print({
    procedures: report.procedures,
    cases: report.cases,
    untyped: count('untyped') + loggedFailures.length,
    stacks: count('stack'),
    unbounded: count('unbounded'),
    late: count('late'),
    unreached: unreached.length,
    alive,
    stateUnchanged,
    loopDelayP99Ms: delay.ownP99Ms,
    loopDelayP99ByClockMs: delay.p99Ms,
  });
  const isClean = failures.length + unreached.length + loggedFailures.length === 0;
  return isClean && alive && stateUnchanged && delay.ownP99Ms < MAX_DELAY_MS;
}

function describe({ kind, procedure, name, request, detail }: Failure): string {
  const { method, path, headers, body = '' } = request;
  const shown = typeof body === 'string' ? body : `base64:${Buffer.from(body).toString('base64')}`;
  const sent = `${method} ${path} ${JSON.stringify(headers)} ${shown}`.slice(0, MAX_SHOWN);
  return `${kind}: seed ${values.seed}, ${procedure}, case "${name}"\n  sent ${sent}\n  got ${detail}`;
}

function print(figures: object): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
