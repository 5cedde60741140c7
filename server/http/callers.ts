import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { SESSION_HEADER } from '../../client/peerClient.js';
import { TrestleError } from '../../shared/errors.js';
import { TIME_LIMIT_MS } from '../../shared/rpc/limits.js';
import type { CallContext, Caller } from '../../shared/rpc/trpc.js';
import { plainAddress } from '../net/addressPolicy.js';
import type { Sessions } from '../net/sessions.js';
import type { Clock } from '../ports.js';

/** How callers are told apart. */
export interface CallerParts {
  readonly sessions: Sessions;
  readonly clock: Pick<Clock, 'after'>;
  readonly operatorToken: string;
  /** Whether the operator may call from other machines. */
  readonly remoteOperator: boolean;
}

/** What a request brings along beside the call itself, over whichever transport. */
export interface Incoming {
  readonly remoteAddress: string;
  readonly authorization: string | undefined;
  /** The session token that a peer presents. */
  readonly session: string | undefined;
}

/** The same of a request over HTTP. */
export function incomingOf(request: IncomingMessage): Incoming {
  const session = request.headers[SESSION_HEADER];
  return {
    remoteAddress: plainAddress(request.socket.remoteAddress ?? ''),
    authorization: request.headers.authorization,
    session: typeof session === 'string' ? session : undefined,
  };
}

/** What the transport knows of a request's sender, and the time limit that every request has. */
export function callContext(incoming: Incoming, parts: CallerParts): CallContext {
  return { caller: callerOf(incoming, parts), withTimeLimit: (work) => withTimeLimit(work, parts.clock) };
}

/** Who sends a request, as far as the transport can tell. */
export function callerOf(incoming: Incoming, parts: Omit<CallerParts, 'clock'>): Caller {
  const { remoteAddress, session } = incoming;
  return {
    remoteAddress,
    operator: isOperator(incoming, parts),
    session: session === undefined ? null : parts.sessions.find(session, remoteAddress),
  };
}

function isOperator({ remoteAddress, authorization }: Incoming, parts: Omit<CallerParts, 'clock'>): boolean {
  const [scheme, token] = (authorization ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined) return false;
  if (!parts.remoteOperator && !isLoopback(remoteAddress)) return false;
  const [given, expected] = [Buffer.from(token), Buffer.from(parts.operatorToken)];
  // A comparison that stops at the first difference tells how much of the token was right.
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Whether an address is one of this machine's own. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function withTimeLimit<T>(work: Promise<T>, clock: Pick<Clock, 'after'>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(TIME_LIMIT_MS, () =>
      reject(new TrestleError({ code: 'timeout', limitMs: TIME_LIMIT_MS })),
    );
    work.then(resolve, reject).finally(cancel);
  });
}
