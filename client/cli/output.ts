import { styleText } from 'node:util';
import { TrestleError } from '../../shared/errors.js';
import { printable } from '../../shared/printable.js';
import { asTrestleError } from '../failure.js';

/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** Failures that say that the command was typed wrongly, not that something went wrong. */
const USAGE_CODES: ReadonlySet<string> = new Set(['bad-request', 'wallet-words', 'peer-address']);

/** A command that was typed wrongly. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Where a command says what it has to say. */
export interface Output {
  readonly json: boolean;
  /** The result: for people, or as one JSON object on the last line of standard output. */
  result(value: object, human: string): void;
  /** Something to know beside the result, on standard error. */
  warn(message: string): void;
}

/** The output of a command that was, or was not, asked for JSON. */
export function createOutput(json: boolean): Output {
  return {
    json,
    result: (value, human) => process.stdout.write(`${json ? toJson(value) : human}\n`),
    warn: (message) => process.stderr.write(`${styleText('yellow', 'warning')}: ${printable(message)}\n`),
  };
}

/** JSON with amounts and other big numbers as decimal strings: scripts lose nothing to floating point. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
}

/** Says why a command failed, in the form that was asked for, and answers its exit code. Never a stack trace. */
export function reportFailure(error: unknown, { json }: { json: boolean }): number {
  const { code, message, hint } = failureFields(asTrestleError(error));
  if (json) process.stdout.write(`${toJson({ ok: false, error: { code, message, hint } })}\n`);
  else {
    process.stderr.write(`${styleText('red', 'error')}: ${printable(message)} [${code}]\n`);
    if (hint !== null) process.stderr.write(`${hint}\n`);
  }
  return code === 'usage' || USAGE_CODES.has(code) ? EXIT.usage : EXIT.failed;
}

function failureFields(error: unknown): { code: string; message: string; hint: string | null } {
  if (error instanceof TrestleError) return { code: error.code, message: error.message, hint: error.hint ?? null };
  if (error instanceof UsageError) return { code: 'usage', message: error.message, hint: 'See --help.' };
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'internal', message, hint: null };
}

/** Rows in columns as wide as their widest cell. Columns that hold numbers below their first row stand to the right. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(printable));
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const layouts = Array.from({ length: columns }, (_, column) => {
    const cells = rows.map((row) => row[column] ?? '');
    return { width: Math.max(...cells.map((cell) => cell.length)), right: cells.slice(1).every(isFigure) };
  });
  return rows
    .map((row) =>
      layouts
        .map(({ width, right }, column) =>
          right ? (row[column] ?? '').padStart(width) : (row[column] ?? '').padEnd(width),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function isFigure(cell: string): boolean {
  return cell === '-' || /^-?[\d.,]+( [a-zA-Z%]+)?$/.test(cell);
}
