import { defineConfig } from 'vitest/config';

// The tests of codecs and tables alone, for `stryker.codecs.config.js`. Each file loads its modules anew: a mutant may sit
// in what is computed while they load.
export default defineConfig({
  test: {
    include: ['test/unit/shared/{address,amount,bytes,codec,loading,merkle,params}.test.ts'],
    setupFiles: ['./test/fixedSeed.ts'],
    testTimeout: 60_000,
    maxWorkers: 1,
  },
});
