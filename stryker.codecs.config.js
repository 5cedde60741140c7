import base from './stryker.config.js';

// Codecs and tables have tests of their own, quick enough to be asked about what is computed while a module loads too:
// limits, patterns and schemas. Such a mutant is alive before any test, so all tests judge it.
/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  ...base,
  mutate: [
    'shared/model/**/*.ts',
    'shared/bytes/**/*.ts',
    'shared/crypto/merkle.ts',
    'shared/consensus/{networks,params}.ts',
  ],
  vitest: { configFile: 'vitest.codecs.config.js' },
  ignoreStatic: false,
  incrementalFile: 'reports/codecs.json',
  htmlReporter: { fileName: 'reports/codecs.html' },
};
