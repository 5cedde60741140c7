import { TRPCClientError } from '@trpc/client';
import { TrestleError } from '../shared/errors.js';
import { isReasonCode, type Reason } from '../shared/reasons.js';

/** How many causes are looked through. */
const MAX_CAUSES = 5;

/**
 * Why a call failed, as one of our reasons: what the node answered, a time limit that passed, or a node that does not
 * answer. `null` where the node failed and keeps the details to itself, and for errors that come from no call.
 */
export function reasonOf(error: unknown): Reason | null {
  const own = ownFailure(error);
  if (own !== undefined) return own.reason;
  if (!(error instanceof TRPCClientError)) return null;
  const data: unknown = error.data;
  if (isObject(data)) return asReason(data['reason']);
  // No answer that looks like tRPC's: the connection was refused or broken, or something else listens there.
  return { code: 'peer-unreachable', url: '', detail: detailOf(error) };
}

/** The same failure as an error of ours, with code and hint; anything unexpected as it is. */
export function asTrestleError(error: unknown, url: string): unknown {
  const reason = reasonOf(error);
  if (reason === null) return error;
  return new TrestleError(reason.code === 'peer-unreachable' ? { ...reason, url } : reason, { cause: error });
}

/** A failure of ours among the causes of an error: links and fetch wrap what they pass on. */
function ownFailure(error: unknown): TrestleError | undefined {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++, cause = cause.cause)
    if (cause instanceof TrestleError) return cause;
  return undefined;
}

/** The figures of a reason come from the other side: only the code is looked at, the rest is for people to read. */
function asReason(value: unknown): Reason | null {
  if (!isObject(value)) return null;
  const { code } = value;
  return typeof code === 'string' && isReasonCode(code) ? (value as Reason) : null;
}

function detailOf(error: Error): string {
  const cause = error.cause instanceof Error ? (error.cause.cause ?? error.cause) : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.message : error.message;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
