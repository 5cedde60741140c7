/** The middle of a list of figures. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The figure below which so great a part of a list lies; `part` from 0 to 1. */
export function percentile(figures: readonly number[], part: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)] ?? 0;
}

/** A figure to four places. */
export function round(figure: number): number {
  return Number(figure.toPrecision(4));
}

/** What was measured: how often in a second, and how long each took. */
export interface Result {
  readonly suite: string;
  readonly what: string;
  readonly perSecond: number;
  readonly msEach: number;
}

/** Results in columns. What takes longer than a fiftieth of a second is shown by how long it takes. */
export function table(results: readonly Result[]): string {
  const rows = results.map(({ suite, what, perSecond, msEach }) =>
    msEach > 20
      ? [suite, what, Math.round(msEach).toLocaleString('en-US'), 'ms each']
      : [suite, what, Math.round(perSecond).toLocaleString('en-US'), 'a second'],
  );
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows
    .map(([suite = '', what = '', figure = '', unit = '']) =>
      [suite.padEnd(widths[0] ?? 0), what.padEnd(widths[1] ?? 0), `${figure.padStart(widths[2] ?? 0)} ${unit}`].join(
        '  ',
      ),
    )
    .join('\n');
}

/** The figures of one suite, a line each. */
export function figureTable([suite, figures]: readonly [string, Readonly<Record<string, number | string>>]): string {
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  return Object.entries(figures)
    .map(([name, value]) => `${suite}  ${name.padEnd(width)}  ${value.toLocaleString('en-US')}`)
    .join('\n');
}
