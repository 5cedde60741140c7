import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../support/temporary.js';
import { runNpm } from './runBounded.js';
import { runExample } from './runExample.js';

/*
 * `npm run examples`: packs what is built, and installs, checks and tests each example with the tarball in a folder of its
 * own. Prints a line each, and what went wrong on standard error. Leaves its counts beside those of the tests.
 */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const REPORT = new URL('../../examples-report.json', import.meta.url);
const PACK_LIMIT_MS = 60_000;

await using home = await temporaryDirectory();
// Packing must not build anew: that would remove what the tests have left in dist/.
const packing = await runNpm(['pack', '--ignore-scripts', '--pack-destination', home.path], {
  cwd: ROOT,
  limitMs: PACK_LIMIT_MS,
});
const [tarball] = await readdir(home.path);
if (!packing.ok || tarball === undefined) throw new Error(`npm pack failed:\n${packing.output}`);

const counts = { passed: 0, failed: 0 };
for (const folder of await exampleFolders()) {
  const startedAt = performance.now();
  const { ok, output } = await runExample({ folder: join(ROOT, folder), tarball: join(home.path, tarball) });
  counts[ok ? 'passed' : 'failed'] += 1;
  if (!ok) process.stderr.write(output);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${ok ? 'passed' : 'FAILED'}  ${folder}  ${seconds} s\n`);
}
await writeFile(REPORT, JSON.stringify(counts));
// A run that found nothing to run has proved nothing.
if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;

/** The examples that are projects of their own, from the root. */
async function exampleFolders(): Promise<string[]> {
  const names = await readdir(join(ROOT, 'examples'));
  return names
    .sort()
    .map((name) => join('examples', name))
    .filter((folder) => existsSync(join(ROOT, folder, 'package.json')));
}
