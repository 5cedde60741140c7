import { initTRPC } from '@trpc/server';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { contractOf, fingerprintOf } from '../../../shared/rpc/fingerprint.js';
import { appRouter, directoryRouter } from '../../../shared/rpc/router.js';

const t = initTRPC.create();

/** A contract of one procedure that takes a number of coins, at most so many. */
function contract(most: bigint, kind: 'query' | 'mutation' = 'query') {
  const pay = t.procedure
    .input(z.strictObject({ coins: z.bigint().max(most) }))
    .output(z.strictObject({ ok: z.boolean() }));
  return t.router({ pay: kind === 'query' ? pay.query(() => ({ ok: true })) : pay.mutation(() => ({ ok: true })) });
}

test('the same contract has the same name, and one that differs in a bound, a kind or a procedure has another', () => {
  const names = [contract(5n), contract(6n), contract(5n, 'mutation'), t.router({}), appRouter, directoryRouter].map(
    fingerprintOf,
  );
  expect(new Set(names).size).toBe(names.length);
  expect(fingerprintOf(contract(5n))).toBe(names[0]);
  for (const name of names) expect(name).toMatch(/^[0-9a-f]{16}$/);
});

test('every procedure of ours is described with its kind, its input and its output', () => {
  const shapes = Object.entries(contractOf(appRouter));
  expect(shapes.length).toBeGreaterThan(40);
  for (const [path, { type, inputs, output }] of shapes) {
    expect(path).toMatch(/^(?:block|transaction|node|info)\./);
    expect(['query', 'mutation', 'subscription']).toContain(type);
    expect(inputs, path).toHaveLength(1);
    expect(output === null, path).toBe(type === 'subscription');
  }
});
