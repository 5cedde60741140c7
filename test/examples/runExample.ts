import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { temporaryDirectory } from '../support/temporary.js';
import { type Run, runNpm } from './runBounded.js';

/** A project that bundles, and checks every declaration of its packages: the examples resolve as Node does. */
const STRICT = ['--module', 'preserve', '--moduleResolution', 'bundler', '--skipLibCheck', 'false'];
const LIB = ['--lib', 'ES2023,ESNext.Disposable,DOM'];

/** What a newcomer does with an example, and how long each may take. */
const STEPS: readonly { readonly args: readonly string[]; readonly limitMs: number }[] = [
  { args: ['install', '--prefer-offline', '--no-audit', '--no-fund'], limitMs: 180_000 },
  { args: ['run', 'check'], limitMs: 60_000 },
  { args: ['exec', '--', 'tsc', '--noEmit', ...STRICT, ...LIB], limitMs: 60_000 },
  { args: ['test'], limitMs: 180_000 },
];
/** What an earlier run in the clone has left beside an example. */
const LEFT_BEHIND = ['node_modules', 'dist', 'package-lock.json'];

/** An example, and the packed package that it is to use. */
export interface Example {
  readonly folder: string;
  readonly tarball: string;
}

/** Installs, checks and tests an example in a place of its own, as far from the clone's modules as a newcomer is. */
export async function runExample({ folder, tarball }: Example): Promise<Run> {
  await using home = await temporaryDirectory();
  // The same places as in a clone, where the example's package.json looks for the package two folders up.
  const cwd = join(home.path, 'examples', basename(folder));
  await cp(tarball, join(home.path, basename(tarball)));
  await cp(folder, cwd, { recursive: true, filter: (path) => !LEFT_BEHIND.includes(basename(path)) });
  let output = '';
  for (const { args, limitMs } of STEPS) {
    const run = await runNpm(args, { cwd, limitMs });
    output += `> npm ${args.join(' ')}\n${run.output}`;
    if (!run.ok) return { ok: false, output };
  }
  return { ok: true, output };
}
