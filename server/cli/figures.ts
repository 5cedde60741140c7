const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
/** A longer time is told in the next unit. */
const UNITS = [
  { name: 's', ms: SECOND_MS, below: 100 * SECOND_MS },
  { name: 'min', ms: MINUTE_MS, below: 100 * MINUTE_MS },
  { name: 'h', ms: HOUR_MS, below: 100 * HOUR_MS },
  { name: 'days', ms: DAY_MS, below: 1_000 * DAY_MS },
] as const;

/** A time, rounded up, for people. */
export function duration(ms: number): string {
  const unit = UNITS.find(({ ms: each, below }) => Math.ceil(ms / each) * each < below);
  if (unit !== undefined) return `${Math.ceil(ms / unit.ms)} ${unit.name}`;
  return `${grouped(Math.ceil(ms / YEAR_MS))} years`;
}

/** A figure with its thousands apart. */
export function grouped(number: number): string {
  return number.toLocaleString('en-US');
}

/** A figure in at most four digits with a unit and its prefix, such as `285.3 kH/s`. */
export function scaled(figure: number, unit: string): string {
  let [rest, i] = [figure, 0];
  for (; rest >= 1_000 && i < PREFIXES.length - 1; i++) rest /= 1_000;
  const digits = i === 0 ? rest.toFixed(0) : rest.toPrecision(4);
  return `${digits} ${PREFIXES[i] ?? ''}${unit}`;
}
