import type { AnyTRPCRouter } from '@trpc/server';
import * as z from 'zod';
import { toHex } from '../bytes/hex.js';
import { hashContract } from '../crypto/hash.js';

/** How many bytes of the digest stand for a contract: enough to tell versions apart, and nobody gains by a collision. */
const FINGERPRINT_BYTES = 8;

/** One procedure as the other side of a call sees it: what kind of call it is, what goes in, and what comes out. */
export interface ProcedureShape {
  readonly type: string;
  readonly inputs: readonly unknown[];
  /** `null` for a subscription: what its events hold is said by their own schemas alone. */
  readonly output: unknown;
}

/**
 * A router as data: every procedure by its path, its schemas as JSON Schema. What a schema computes (a checksum, a
 * transformation) has no such form and is left out.
 */
export function contractOf(router: AnyTRPCRouter): Readonly<Record<string, ProcedureShape>> {
  const procedures: Readonly<Record<string, unknown>> = router._def.procedures;
  return Object.fromEntries(
    Object.keys(procedures)
      .sort()
      .map((path) => [path, shapeOf(procedures[path])]),
  );
}

/** A contract's name: two programs that show the same one were built on the same procedures and schemas. */
export function fingerprintOf(router: AnyTRPCRouter): string {
  const text = JSON.stringify(contractOf(router));
  return toHex(hashContract(new TextEncoder().encode(text)).subarray(0, FINGERPRINT_BYTES));
}

/** tRPC keeps kinds and schemas in a half-private place; a test knows when it moves. */
function shapeOf(procedure: unknown): ProcedureShape {
  const def = isRecord(procedure) ? procedure['_def'] : undefined;
  if (!isRecord(def) || typeof def['type'] !== 'string') throw new Error('a procedure without a definition');
  const inputs = Array.isArray(def['inputs']) ? def['inputs'] : [];
  return {
    type: def['type'],
    inputs: inputs.map((schema) => describeSchema(schema, 'input')),
    output: def['type'] === 'subscription' ? null : describeSchema(def['output'], 'output'),
  };
}

function describeSchema(schema: unknown, io: 'input' | 'output'): unknown {
  if (!(schema instanceof z.ZodType)) return null;
  return z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      // JSON has no such number; superjson carries it, and its bounds are part of the contract.
      if (zodSchema instanceof z.ZodBigInt)
        Object.assign(jsonSchema, {
          type: 'bigint',
          minimum: String(zodSchema.minValue),
          maximum: String(zodSchema.maxValue),
        });
    },
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return (typeof value === 'object' || typeof value === 'function') && value !== null;
}
