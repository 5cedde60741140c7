import * as z from 'zod';
import type { Ledger } from './ledger.js';

/** JSON has no big integers, and its numbers lose cents: money is written as digits. */
const digits = z
  .string()
  .regex(/^\d+$/)
  .transform((text) => BigInt(text));

const deposit = z.strictObject({ id: z.string(), customer: z.string(), amount: digits });
const block = z.strictObject({
  hash: z.string(),
  height: z.int(),
  work: digits,
  deposits: z.array(deposit),
  isCredited: z.boolean(),
});
const entry = z.strictObject({ kind: z.enum(['credited', 'taken-back']), deposit });
const ledger = z.strictObject({ blocks: z.array(block), entries: z.array(entry) });

/** A ledger as text. */
export function formatLedger(value: Ledger): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? each.toString() : each));
}

/** Reads it again. Throws where the text is no ledger: then nothing may be credited until somebody has looked. */
export function parseLedger(text: string): Ledger {
  return ledger.parse(JSON.parse(text));
}
