import { TRPCClientError } from '@trpc/client';
import { TrestleError } from '../shared/errors.js';
import { parseReason } from '../shared/parseReason.js';
import type { Reason } from '../shared/reasons.js';

/** How many causes are looked through. */
const MAX_CAUSES = 5;

/**
 * Why a call failed, as one of our reasons: what the node answered, a time limit that passed, or a node that does not
 * answer. `null` where the node failed and keeps the details to itself, and for errors that come from no call.
 */
export function reasonOf(error: unknown): Reason | null {
  const own = ownFailure(error);
  if (own !== undefined) return own.reason;
  return error instanceof TRPCClientError ? answeredReason(error) : null;
}

/** The same failure as an error of ours, with code and hint; anything unexpected as it is. */
export function asTrestleError(error: unknown): unknown {
  const reason = reasonOf(error);
  return reason === null ? error : new TrestleError(reason, { cause: error });
}

/** Why a call failed in few words, for a log: the code where there is one. */
export function whyOf(error: unknown): string {
  return reasonOf(error)?.code ?? String(error);
}

/** Whether a failed call was never answered by anything that speaks tRPC: refused, broken off, or something else listens. */
export function isUnanswered(error: TRPCClientError<never>): boolean {
  const data: unknown = error.data;
  return typeof data !== 'object' || data === null;
}

/** What the system says of a call that was not answered: an error code such as ECONNREFUSED, or a message. */
export function systemDetail(error: Error): string {
  const cause = error.cause instanceof Error ? (error.cause.cause ?? error.cause) : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.message : error.message;
}

/** A failure of ours among the causes of an error: links and fetch wrap what they pass on. */
function ownFailure(error: unknown): TrestleError | undefined {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++, cause = cause.cause)
    if (cause instanceof TrestleError) return cause;
  return undefined;
}

function answeredReason(error: TRPCClientError<never>): Reason | null {
  const data: unknown = error.data;
  return typeof data === 'object' && data !== null && 'reason' in data ? parseReason(data.reason) : null;
}
