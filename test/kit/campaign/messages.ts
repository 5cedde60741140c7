import * as z from 'zod';
import { outcome } from './outcome.js';

/** What a process of a campaign is asked to do. */
export const task = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('run'), seed: z.int(), nodes: z.int() }),
  /** To run a seed that has failed again, with fewer and fewer steps. */
  z.strictObject({ kind: z.literal('shrink'), seed: z.int(), nodes: z.int() }),
]);

export type Task = z.infer<typeof task>;

/** A failure made small. */
export const shrunk = z.strictObject({
  steps: z.array(z.int()),
  /** The lines that tell most, as people read them. */
  log: z.array(z.string()),
});

export type ShrunkFailure = z.infer<typeof shrunk>;

/** What it answers. */
export const answer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ran'), outcome }),
  /** `undefined` where the failure did not come again. */
  z.strictObject({ kind: z.literal('shrunk'), shrunk: shrunk.optional() }),
]);

export type Answer = z.infer<typeof answer>;
