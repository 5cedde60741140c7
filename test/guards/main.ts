import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import type { Guard } from './guards.js';
import { buildMutant } from './mutant.js';
import { parseGuardsOptions } from './options.js';

/**
 * `guards [--seeds N] [--nodes N] [--only NAME]... [--processes N] [--json]`: takes away one guard after the other, and runs
 * the seeds of the simulation until one fails. Closes with a table of guards and the seeds that found them missing. Ends with 1 where a
 * guard was not missed, and with 2 where it was asked for what makes no sense.
 */
const options = parseGuardsOptions(process.argv.slice(2));
if (!options.ok) {
  process.stderr.write(`${options.reject}\n`);
  process.exit(2);
}
const { guards, seeds, nodes, processes, json } = options.value;

const found = z.object({ seed: z.int(), invariant: z.string(), message: z.string() }).nullable();

/** Which seed found a guard missing. */
interface Row {
  readonly guard: string;
  readonly keeps: string;
  readonly seed: number | null;
  readonly invariant: string | null;
}

const run = promisify(execFile);
const waiting = [...guards];
const rows = new Map<string, Row>();
await Promise.all(Array.from({ length: processes }, work));

const table = guards.flatMap(({ name }) => rows.get(name) ?? []);
const missed = table.filter(({ seed }) => seed === null).map(({ guard }) => guard);
process.stdout.write(json ? `${JSON.stringify({ guards: table, missed })}\n` : `${asText(table)}\n`);
process.exitCode = missed.length === 0 ? 0 : 1;

async function work(): Promise<void> {
  for (let guard = waiting.shift(); guard !== undefined; guard = waiting.shift()) {
    const row = await search(guard);
    rows.set(guard.name, row);
    process.stderr.write(`${lineOf(row)}\n`);
  }
}

async function search({ name, keeps, edits }: Guard): Promise<Row> {
  using mutant = buildMutant(edits);
  const modules = ['test/kit/campaign/runScenario.ts', 'test/kit/campaign/scenario.ts'].map(mutant.moduleUrl);
  const script = fileURLToPath(new URL('./search.js', import.meta.url));
  const { stdout } = await run(process.execPath, [script, ...modules, '1', String(seeds), String(nodes)], {
    maxBuffer: 100_000_000,
  });
  const last = found.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? 'null'));
  return { guard: name, keeps, seed: last?.seed ?? null, invariant: last?.invariant ?? null };
}

function lineOf({ guard, seed, invariant }: Row): string {
  return seed === null ? `${guard}: no seed found it missing` : `${guard}: seed ${seed}, ${invariant}`;
}

function asText(table: readonly Row[]): string {
  const width = Math.max(...table.map(({ guard }) => guard.length));
  return table
    .map(
      ({ guard, seed, invariant }) =>
        `${guard.padEnd(width)}  ${String(seed ?? '-').padStart(4)}  ${invariant ?? 'not found'}`,
    )
    .join('\n');
}
