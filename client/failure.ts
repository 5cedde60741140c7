import { TRPCClientError } from '@trpc/client';
import { TrestleError } from '../shared/errors.js';
import { isReasonCode, type Reason } from '../shared/reasons.js';

/**
 * Why a call failed, as one of our reasons: what the node answered, a time limit that passed, or a node that does not
 * answer. `null` where the node failed and keeps the details to itself, and for errors that come from no call.
 */
export function reasonOf(error: unknown): Reason | null {
  if (error instanceof TrestleError) return error.reason;
  if (!(error instanceof TRPCClientError)) return null;
  if (error.cause instanceof TrestleError) return error.cause.reason;
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
