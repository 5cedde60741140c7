import { fileURLToPath } from 'node:url';

// The copy in which mutants run stands elsewhere, so what lies beside the clone is named here.
process.env['TRESTLE_VECTORS'] ??= fileURLToPath(new URL('../shared/vectors', import.meta.url));

// The rules and the chain. `stryker.codecs.config.js` does the codecs and tables.
/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: ['shared/consensus/**/*.ts', '!shared/consensus/{networks,params}.ts', 'server/chain/**/*.ts'],
  // A text is for people; tests hold on to codes and figures.
  mutator: { excludedMutations: ['StringLiteral'] },
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.mutants.config.js' },
  coverageAnalysis: 'perTest',
  // Rules also run while the built-in networks load. There they have passed before any test: only tests judge them here.
  ignoreStatic: true,
  // Stryker rewrites a tsconfig through TypeScript's old interface, which TypeScript 7 does not have: no file, no rewriting.
  tsconfigFile: 'tsconfig.none.json',
  checkers: [],
  ignorePatterns: ['dist', 'docs', 'bench', 'examples', '.ci'],
  concurrency: 2,
  timeoutMS: 20_000,
  timeoutFactor: 3,
  incremental: true,
  incrementalFile: 'reports/rules.json',
  reporters: ['progress-append-only', 'clear-text', 'html'],
  clearTextReporter: { allowColor: false, logTests: false },
  htmlReporter: { fileName: 'reports/rules.html' },
  thresholds: { high: 95, low: 90, break: 90 },
};
