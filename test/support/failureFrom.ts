import { reasonOf } from '../../client/failure.js';
import type { Reason } from '../../shared/reasons.js';

/** The reason for which a promise fails; it must fail, and for a reason of ours. */
export async function failureFrom(promise: Promise<unknown>): Promise<Reason> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    const reason = reasonOf(error);
    if (reason !== null) return reason;
    throw error;
  }
  throw new Error(`succeeded with ${String(value)}, but should have failed`);
}
