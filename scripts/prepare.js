// Runs after `npm ci`: builds where the compiler is there, and says so where it is not (`--omit=dev`), in place of failing.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const compiler = fileURLToPath(new URL('../node_modules/typescript/package.json', import.meta.url));
if (existsSync(compiler)) {
  const { status } = spawnSync('npm', ['run', 'build'], { stdio: 'inherit', shell: process.platform === 'win32' });
  process.exitCode = status ?? 1;
} else {
  process.stderr.write(
    'trestle: not built, for TypeScript is a development dependency; dist/ has to come from elsewhere\n',
  );
}
