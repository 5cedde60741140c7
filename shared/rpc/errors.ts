import { TRPCError } from '@trpc/server';
import * as z from 'zod';
import { TrestleError } from '../errors.js';
import { MAX_TEXT } from '../parseReason.js';
import { describeReason, type Reason } from '../reasons.js';
import { bodyLimit, TIME_LIMIT_MS } from './limits.js';

/** One field of an input that its schema refused. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

/** What a failed call answers beside its message. `reason` is null where we failed and owe nobody the details. */
export interface FailureData {
  readonly reason: Reason | null;
  /** The fields that are wrong, where the input did not fit its schema. */
  readonly issues: readonly Issue[];
}

const MAX_ISSUES = 16;
const INTERNAL_MESSAGE = 'the node failed; its log says more';

/** Carries a failure of ours through tRPC, under the HTTP status that fits it best. */
export function toTrpcError(error: TrestleError): TRPCError {
  return new TRPCError({ code: trpcCodeOf(error.reason), cause: error });
}

/** What to tell the caller about an error that leaves a procedure. */
export function failureOf(error: TRPCError, path: string): FailureData & { readonly message: string } {
  if (error.cause instanceof TrestleError) return told(forCallers(error.cause.reason), []);
  if (error.cause instanceof z.ZodError && error.code === 'BAD_REQUEST') {
    const issues = error.cause.issues.slice(0, MAX_ISSUES).map(toIssue);
    const detail = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
    // A client takes no longer text for a reason of ours; sixteen fields with a lot to say make more.
    return told({ code: 'bad-request', detail: detail.slice(0, MAX_TEXT) }, issues);
  }
  const reason = transportReason(error, path);
  return reason === null ? { reason, issues: [], message: INTERNAL_MESSAGE } : told(reason, []);
}

/** A reason without what only the operator should read, for it stands in the log: paths on this machine. */
function forCallers(reason: Reason): Reason {
  if ('directory' in reason) return { ...reason, directory: '' };
  return reason.code === 'store-corrupt' ? { ...reason, detail: '' } : reason;
}

function told(reason: Reason, issues: readonly Issue[]): FailureData & { readonly message: string } {
  return { reason, issues, message: describeReason(reason) };
}

function toIssue({ path, message }: z.core.$ZodIssue): Issue {
  return { path: path.map(String).join('.').slice(0, 100), message: message.slice(0, 200) };
}

function trpcCodeOf(reason: Reason): TRPCError['code'] {
  switch (reason.code) {
    case 'not-found':
      return 'NOT_FOUND';
    case 'unauthorized':
      return 'UNAUTHORIZED';
    case 'too-large':
      return 'PAYLOAD_TOO_LARGE';
    case 'timeout':
      return 'TIMEOUT';
    case 'busy':
    case 'store-locked':
    case 'store-corrupt':
    case 'store-full':
    case 'store-readonly':
    case 'store-network':
    case 'store-version':
      return 'SERVICE_UNAVAILABLE';
    case 'pool-known':
    case 'pool-conflict':
    case 'pool-replacement-size':
    case 'pool-replacement-fee':
    case 'pool-replacement-rate':
      return 'CONFLICT';
    case 'peer-network':
    case 'peer-version':
    case 'peer-self':
    case 'peer-banned':
      return 'FORBIDDEN';
    case 'peer-quota':
      return 'TOO_MANY_REQUESTS';
    default:
      return 'BAD_REQUEST';
  }
}

/** The reason for what tRPC refuses before any procedure runs. */
function transportReason(error: TRPCError, path: string): Reason | null {
  switch (error.code) {
    case 'PARSE_ERROR':
    case 'BAD_REQUEST':
    case 'METHOD_NOT_SUPPORTED':
    case 'UNSUPPORTED_MEDIA_TYPE':
    case 'UNPROCESSABLE_CONTENT':
      return { code: 'bad-request', detail: error.message.slice(0, 200) };
    case 'NOT_FOUND':
      return { code: 'not-found', detail: error.message.slice(0, 200) };
    case 'PAYLOAD_TOO_LARGE':
      return { code: 'too-large', limit: bodyLimit(path) };
    case 'TIMEOUT':
      return { code: 'timeout', limitMs: TIME_LIMIT_MS };
    case 'TOO_MANY_REQUESTS':
    case 'SERVICE_UNAVAILABLE':
      return { code: 'busy', detail: 'too many requests' };
    default:
      return null;
  }
}
