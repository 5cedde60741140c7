import { inspect } from 'node:util';
import type { Verdict } from '../../shared/verdict.js';

/** The value of a verdict that must be good; fails with the reason otherwise. */
export function assertOk<T, R>(verdict: Verdict<T, R>): T {
  if (verdict.ok) return verdict.value;
  throw new Error(`refused: ${inspect(verdict.reject)}`);
}

/** The reason of a verdict that must be bad. */
export function assertRefused<T, R>(verdict: Verdict<T, R>): R {
  if (!verdict.ok) return verdict.reject;
  throw new Error('accepted, but should have been refused');
}

/** A value that must be there. */
export function present<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error('missing');
  return value;
}
