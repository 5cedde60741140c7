import { getHTTPStatusCodeFromError } from '@trpc/server/http';
import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc';
import type { TrestleError } from '../../shared/errors.js';
import { failureOf, toTrpcError } from '../../shared/rpc/errors.js';
import { transformer } from '../../shared/rpc/transformer.js';

/** An answer to a request that never reaches tRPC, in the form in which tRPC would have given it. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
}

/** Puts a refusal into words; one stands for a whole batch. */
export function refusalFor(error: TrestleError): Refusal {
  const refused = toTrpcError(error);
  const { message, reason, issues } = failureOf(refused, '');
  const status = getHTTPStatusCodeFromError(refused);
  const data = { code: refused.code, httpStatus: status, reason, issues };
  const body = { error: transformer.serialize({ message, code: TRPC_ERROR_CODES_BY_KEY[refused.code], data }) };
  return { status, body: JSON.stringify(body) };
}
