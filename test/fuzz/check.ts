import * as z from 'zod';
import { parseReason } from '../../shared/parseReason.js';
import type { ReasonCode } from '../../shared/reasons.js';
import { readSuperjson } from '../../shared/rpc/transformer.js';
import { type Reply, SILENCE } from './send.js';

/** What is wrong with an answer. */
export interface Fault {
  readonly kind: 'untyped' | 'stack' | 'unbounded' | 'late';
  readonly detail: string;
}

/** What an answer came to: a fault, or the codes of its failures (none for a success). */
export type Checked = { readonly fault: Fault } | { readonly codes: readonly (ReasonCode | 'ok')[] };

/** A failure names figures and at most sixteen fields, each clipped; what was sent must not come back whole. */
const MAX_FAILURE_BYTES = 16_000;

/** A frame of a stack trace, and places where our code lies. */
const STACK = /\bat [^\n"]{1,200}:\d+:\d+|node_modules|file:\/\/\/|node:internal|\.js:\d+/;

const failureBody = z.strictObject({
  message: z.string().min(1),
  code: z.int(),
  data: z.strictObject({
    code: z.string(),
    httpStatus: z.int(),
    path: z.string().optional(),
    reason: z.unknown(),
    issues: z.array(z.strictObject({ path: z.string(), message: z.string().min(1) })).max(16),
  }),
});
const answerBody = z.union([
  z.strictObject({ result: z.strictObject({ data: z.unknown() }) }),
  z.strictObject({ error: z.unknown() }),
]);

/** Whether an answer is one that the contract knows, whatever was asked. `paths` are places on this machine. */
export function check(reply: Reply, paths: readonly string[]): Checked {
  const { status, contentType, text } = reply;
  if (status === 0) return fault(text.includes(SILENCE) ? 'late' : 'untyped', `no answer: ${text}`);
  const isFailure = status >= 400 || status === 207;
  if (isFailure && STACK.test(text)) return fault('stack', text);
  const path = paths.find((place) => text.includes(place));
  if (path !== undefined) return fault('stack', `names ${path}: ${text}`);
  if (contentType.startsWith('text/event-stream')) return checkStream(text);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return fault('untyped', `status ${status}, no JSON: ${text}`);
  }
  const codes: (ReasonCode | 'ok')[] = [];
  for (const item of Array.isArray(body) ? body : [body]) {
    const checked = checkItem(item);
    if ('fault' in checked) return checked;
    codes.push(...checked.codes);
  }
  if (status >= 400 && text.length > MAX_FAILURE_BYTES) return fault('unbounded', `${text.length} characters: ${text}`);
  const isRight = Array.isArray(body) || (codes[0] === 'ok') === (status === 200);
  return isRight ? { codes } : fault('untyped', `status ${status} with ${codes[0]}`);
}

/** A stream that fails says so in an event of its own, which holds the failure. */
function checkStream(text: string): Checked {
  if (STACK.test(text)) return fault('stack', text);
  const failures = Array.from(text.matchAll(/^event: serialized-error\ndata: (.*)$/gm), ([, data]) => data ?? '');
  for (const data of failures) {
    try {
      return checkItem({ error: JSON.parse(data) });
    } catch {
      return fault('untyped', text);
    }
  }
  return { codes: ['ok'] };
}

function checkItem(item: unknown): Checked {
  const answer = answerBody.safeParse(item);
  if (!answer.success) return fault('untyped', `no answer of tRPC: ${JSON.stringify(item)}`);
  if ('result' in answer.data) return { codes: ['ok'] };
  let error: unknown;
  try {
    error = readSuperjson(answer.data.error);
  } catch {
    return fault('untyped', `a failure that our own client cannot read: ${JSON.stringify(item)}`);
  }
  const failure = failureBody.safeParse(error);
  if (!failure.success) return fault('untyped', `no failure of ours: ${JSON.stringify(item)}`);
  const { data } = failure.data;
  const reason = parseReason(data.reason);
  if (reason === null || data.code === 'INTERNAL_SERVER_ERROR')
    return fault('untyped', `no reason that a client can read: ${JSON.stringify(item)}`);
  // The node gave up after its five seconds: nothing that is sent here is worth so much work.
  return reason.code === 'timeout' ? fault('late', JSON.stringify(item)) : { codes: [reason.code] };
}

function fault(kind: Fault['kind'], detail: string): { readonly fault: Fault } {
  return { fault: { kind, detail: detail.slice(0, 2_000) } };
}
