import { writeFileSync } from 'node:fs';
import type { Reporter } from 'vitest/reporters';

/** Where the counts of the last run are left, for whoever started it. */
const REPORT = new URL('../test-report.json', import.meta.url);

/**
 * Counts what passed and what failed, and counts what other reports forget: a test file that throws before its first test,
 * and an error that no test caught, are failures too.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(...[modules, unhandledErrors]: Parameters<NonNullable<Reporter['onTestRunEnd']>>): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        else if (state === 'failed') failed += 1;
        else skipped += 1;
      }
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
    }
    // A run that found nothing to run has proved nothing.
    if (passed + failed === 0) failed = 1;
    writeFileSync(REPORT, JSON.stringify({ passed, failed, skipped }));
  }
}
