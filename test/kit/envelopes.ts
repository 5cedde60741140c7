import { TrestleError } from '../../shared/errors.js';
import type { Reason } from '../../shared/reasons.js';
import { transformer } from '../../shared/rpc/transformer.js';

/** A value in the form in which nodes send it. */
export function successEnvelope(value: unknown): object {
  return { result: { data: transformer.serialize(value) } };
}

/** A refusal in the form in which nodes send it, with status 400. */
export function failureEnvelope(reason: Reason): object {
  const { message } = new TrestleError(reason);
  const data = { code: 'BAD_REQUEST', httpStatus: 400, reason, issues: [] };
  return { error: transformer.serialize({ message, code: -32_600, data }) };
}
