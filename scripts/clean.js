// A stale file in dist/ would still run: a deleted test would go on passing. Every build starts from nothing.
import { rmSync } from 'node:fs';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
