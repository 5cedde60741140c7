import { defineConfig } from 'vitest/config';

// Tests run from what was built, as workers and processes do: one form of the code, not two.
export default defineConfig({
  test: {
    include: ['dist/test/**/*.test.js'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    maxWorkers: 2,
    reporters: ['default', './dist/test/report.js'],
  },
});
