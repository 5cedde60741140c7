import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Edit } from './guards.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** What a simulation is built from. */
const PARTS = ['shared', 'client', 'server', 'test/kit', 'package.json', 'tsconfig.json'];

/** A copy of the program with a guard taken away, built. */
export interface Mutant extends Disposable {
  /** The address of one of its built modules. */
  readonly moduleUrl: (source: string) => string;
}

/** Builds a copy of the program with these changes. Throws where the text to be changed does not stand there once. */
export function buildMutant(edits: readonly Edit[]): Mutant {
  const folder = mkdtempSync(join(tmpdir(), 'trestle-guard-'));
  const dispose = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    for (const part of PARTS) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const { file, find, replace } of edits) {
      const path = join(folder, file);
      const parts = readFileSync(path, 'utf8').split(find);
      if (parts.length !== 2) throw new Error(`${file} has the guard ${parts.length - 1} times: ${find}`);
      writeFileSync(path, parts.join(replace));
    }
    // What is taken away leaves names without a use: the compiler may say so, and still writes.
    const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    spawnSync(process.execPath, [compiler, '-p', folder, '--noEmitOnError', 'false', '--declaration', 'false'], {
      stdio: 'ignore',
    });
    return {
      moduleUrl: (source) => pathToFileURL(join(folder, 'dist', source.replace(/\.ts$/, '.js'))).href,
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}
