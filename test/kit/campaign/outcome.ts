import * as z from 'zod';
import { coverage } from './coverage.js';

const broken = z.strictObject({
  invariant: z.string(),
  message: z.string(),
  /** Virtual milliseconds. */
  at: z.number(),
  /** The step that was being taken; `undefined` where all had been, and the network was to recover. */
  step: z.int().optional(),
});

/** What was broken, and when. */
export type Broken = z.infer<typeof broken>;

/** What a run came to, as processes tell each other of it. */
export const outcome = z.strictObject({
  /** The hash of all that happened: runs with the same hash did the same, message for message. */
  traceHash: z.string(),
  events: z.int(),
  virtualMs: z.number(),
  coverage,
  failure: broken.optional(),
});

/** What a run came to. */
export type Outcome = z.infer<typeof outcome>;
