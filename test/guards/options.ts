import { parseArgs } from 'node:util';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import { GUARDS, type Guard } from './guards.js';

/** What a run does. */
export interface GuardsOptions {
  readonly guards: readonly Guard[];
  readonly seeds: number;
  readonly nodes: number;
  readonly processes: number;
  readonly json: boolean;
}

/** What each number may be; a table of nothing would look as if every guard were needed. */
const RANGES = { seeds: [1, 1_000_000], nodes: [2, 16], processes: [1, 64] } as const;

/** What the arguments ask for, or why they make no sense. */
export function parseGuardsOptions(args: readonly string[]): Verdict<GuardsOptions, string> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seeds: { type: 'string', default: '200' },
        nodes: { type: 'string', default: '5' },
        only: { type: 'string', multiple: true },
        processes: { type: 'string', default: '2' },
        json: { type: 'boolean', default: false },
      },
    });
    const numberOf = (name: keyof typeof RANGES): number => wholeNumber(name, values[name]);
    return accept({
      guards: namedGuards(values.only),
      ...{ seeds: numberOf('seeds'), nodes: numberOf('nodes'), processes: numberOf('processes') },
      json: values.json,
    });
  } catch (error) {
    // Both our own and those of `parseArgs`: there is nothing else in there.
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function namedGuards(only: readonly string[] | undefined): readonly Guard[] {
  const unknown = only?.find((name) => !GUARDS.some((guard) => guard.name === name));
  if (unknown !== undefined) {
    const names = GUARDS.map(({ name }) => name).join(', ');
    throw new RangeError(`there is no guard '${unknown}'; there are: ${names}`);
  }
  return GUARDS.filter(({ name }) => only === undefined || only.includes(name));
}

function wholeNumber(name: keyof typeof RANGES, text: string): number {
  const [least, most] = RANGES[name];
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new RangeError(`--${name} ${text}: a whole number from ${least} to ${most} goes here`);
}
