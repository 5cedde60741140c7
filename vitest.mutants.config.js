import { defineConfig } from 'vitest/config';

// Mutants are put into the sources, so the tests that judge them run from the sources: all that need no process, no port
// and no second wait. `stryker.config.js` says what is mutated.
export default defineConfig({
  test: {
    include: [
      'test/unit/shared/**/*.test.ts',
      'test/unit/server/{blockWrites,chainQueue,chainstate,headerTree,openChain,tipMover,tipState}.test.ts',
      'test/vectors/asert.test.ts',
    ],
    setupFiles: ['./test/fixedSeed.ts'],
    testTimeout: 60_000,
    maxWorkers: 1,
    isolate: false,
  },
});
