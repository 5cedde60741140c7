/** The middle of a list of figures. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Results in columns. */
export function table(results: readonly { suite: string; what: string; perSecond: number }[]): string {
  const rows = results.map(({ suite, what, perSecond }) => [suite, what, perSecond.toLocaleString('en-US')]);
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows
    .map(([suite = '', what = '', rate = '']) =>
      [suite.padEnd(widths[0] ?? 0), what.padEnd(widths[1] ?? 0), `${rate.padStart(widths[2] ?? 0)} a second`].join(
        '  ',
      ),
    )
    .join('\n');
}
