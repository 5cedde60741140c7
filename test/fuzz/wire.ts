/** JSON as it stands: what no value spells, such as `1e400`, `3.0` or a hundred thousand brackets. */
export class Raw {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }
}

/**
 * A value as a superjson body. Stock superjson refuses to write what a hostile caller would send (`__proto__`, raw
 * numbers), so this writes it by hand, with the annotations of the bigints that are there.
 */
export function toBody(value: unknown): string {
  const values: [string, string[]][] = [];
  const json = write(value, [], values);
  if (values.length === 0) return `{"json":${json}}`;
  const [only] = values;
  const meta = only !== undefined && only[0] === '' ? only[1] : Object.fromEntries(values);
  return `{"json":${json},"meta":{"values":${JSON.stringify(meta)}}}`;
}

function write(value: unknown, path: readonly string[], values: [string, string[]][]): string {
  const note = (type: string): void => void values.push([path.map(escaped).join('.'), [type]]);
  if (value instanceof Raw) return value.json;
  if (typeof value === 'bigint') {
    note('bigint');
    return `"${value}"`;
  }
  if (value === undefined) {
    note('undefined');
    return 'null';
  }
  if (Array.isArray(value)) return `[${value.map((item, i) => write(item, [...path, String(i)], values)).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([key, field]) => `${JSON.stringify(key)}:${write(field, [...path, key], values)}`,
  );
  return `{${fields.join()}}`;
}

function escaped(key: string): string {
  return key.replaceAll('\\', '\\\\').replaceAll('.', '\\.');
}
