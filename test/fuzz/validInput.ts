import * as z from 'zod';
import type { Dice } from './dice.js';

/** Values that mean something to the node under test. */
export interface Corpus {
  /** By the name of the field that each fits best. A field of another name may get any of them that its schema takes. */
  readonly values: Readonly<Record<string, readonly unknown[]>>;
  /** What is valid and not known to the node yet: it must never get there as it is. */
  readonly unsent: readonly string[];
}

/** How often a whole input is drawn until its schema takes it. */
const ATTEMPTS = 100;
const NAMED_FIRST = 0.8;

/**
 * An input that a schema takes, found by walking the schema: leaves are filled with what the corpus has and the schema
 * takes. So a new procedure is fuzzed without a word about it here; one whose inputs nobody could fill throws, and the
 * corpus has to learn the new kind of value.
 */
export function validInput(schema: z.ZodType, dice: Dice, corpus: Corpus): unknown {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const value = draw(schema, { dice, corpus, name: '' });
    if (value !== NONE && schema.safeParse(value).success) return value;
  }
  throw new Error('no valid input can be made: the corpus of the fuzz target lacks this kind of value');
}

interface Drawing {
  readonly dice: Dice;
  readonly corpus: Corpus;
  /** The field that is being filled. */
  readonly name: string;
}

const NONE = Symbol('nothing fits');

function draw(schema: unknown, drawing: Drawing): unknown {
  const { dice } = drawing;
  if (schema instanceof z.ZodObject) return drawObject(schema, drawing);
  if (schema instanceof z.ZodArray) {
    const items = Array.from({ length: dice.below(4) }, () => draw(schema.element, drawing));
    return items.includes(NONE) ? NONE : items;
  }
  if (schema instanceof z.ZodUnion) return draw(dice.pick(schema.options), drawing);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return dice.chance(0.5) ? undefined : draw(schema.unwrap(), drawing);
  if (schema instanceof z.ZodNullable) return dice.chance(0.3) ? null : draw(schema.unwrap(), drawing);
  if (schema instanceof z.ZodUndefined) return undefined;
  return drawLeaf(schema, drawing);
}

function drawObject(schema: z.ZodObject, drawing: Drawing): unknown {
  const entries: [string, unknown][] = [];
  for (const [name, field] of Object.entries(schema.shape)) {
    const value = draw(field, { ...drawing, name });
    if (value === NONE) return NONE;
    if (value !== undefined) entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

function drawLeaf(schema: unknown, { dice, corpus, name }: Drawing): unknown {
  if (!(schema instanceof z.ZodType)) return NONE;
  // A list is named for what it holds.
  const named = fitting(schema, corpus, corpus.values[name] === undefined ? name.replace(/s$/, '') : name);
  if (named.length > 0 && dice.chance(NAMED_FIRST)) return dice.pick(named);
  const all = fitting(schema, corpus);
  return all.length === 0 ? NONE : dice.pick(all);
}

const fits = new WeakMap<Corpus, Map<z.ZodType, Map<string, readonly unknown[]>>>();

/** What of the corpus, or of one name in it, a schema takes: found out once. */
function fitting(schema: z.ZodType, corpus: Corpus, name = ''): readonly unknown[] {
  const bySchema = fits.get(corpus) ?? new Map<z.ZodType, Map<string, readonly unknown[]>>();
  fits.set(corpus, bySchema);
  const byName = bySchema.get(schema) ?? new Map<string, readonly unknown[]>();
  bySchema.set(schema, byName);
  const known = byName.get(name);
  if (known !== undefined) return known;
  const candidates = name === '' ? Object.values(corpus.values).flat() : (corpus.values[name] ?? []);
  const found = candidates.filter((value) => schema.safeParse(value).success);
  byName.set(name, found);
  return found;
}
