import { initTRPC, TRPCError } from '@trpc/server';
import { TrestleError } from '../errors.js';
import { failureOf, toTrpcError } from './errors.js';
import { transformer } from './transformer.js';

/** How often a subscription without news says that it is alive. */
const PING_MS = 10_000;

/** Who calls, as far as the transport can tell. */
export interface Caller {
  readonly remoteAddress: string;
  /** Whether the operator's token came along, from an address it may come from. */
  readonly operator: boolean;
  /** The session that `node.hello` opened, where the caller presented its token. */
  readonly session: PeerSession | null;
}

/** A peer that has said hello. Scores and quotas belong to it, never to a URL that somebody wrote in a body. */
export interface PeerSession {
  readonly token: string;
  /** Where the peer can be called, confirmed by calling it; `null` where nobody can reach it. */
  readonly url: string | null;
  readonly remoteAddress: string;
}

/** What every call brings along, whichever router answers it. */
export interface CallContext {
  readonly caller: Caller;
  /** Settles with `work`, or fails with `timeout` once the time limit for a request is over. */
  readonly withTimeLimit: <T>(work: Promise<T>) => Promise<T>;
}

/**
 * The router factory and the three kinds of procedure, for one context type. A full node and a directory server differ
 * in what they offer and so in their contexts; the contract's manners are the same.
 */
export function procedures<Context extends CallContext>() {
  const t = initTRPC.context<Context>().create({
    transformer,
    // Else a stack trace goes out with every error unless NODE_ENV happens to say production.
    isDev: false,
    // Whoever hears nothing for two beats knows that the connection is dead, and connects again.
    sse: { ping: { enabled: true, intervalMs: PING_MS }, client: { reconnectAfterInactivityMs: 2 * PING_MS + 1_000 } },
    errorFormatter({ shape, error, path = '' }) {
      const { message, reason, issues } = failureOf(error, path);
      return { ...shape, message, data: { ...shape.data, reason, issues } };
    },
  });

  const guarded = t.procedure.use(async ({ ctx, next }) => {
    const result = await ctx.withTimeLimit(next()).catch((error: unknown) => {
      throw asTrpcError(error);
    });
    if (!result.ok && result.error.cause instanceof TrestleError) throw toTrpcError(result.error.cause);
    return result;
  });

  /** For peers that have said hello. */
  const peer = guarded.use(({ ctx, next }) => {
    const { session } = ctx.caller;
    if (session === null) throw asTrpcError(unauthorized('this call needs a session: say node.hello first'));
    return next({ ctx: { session } });
  });

  /** For the operator, who can read the token that the node wrote into its data directory. */
  const operator = guarded.use(({ ctx, next }) => {
    if (!ctx.caller.operator) throw asTrpcError(unauthorized('this call needs the operator token'));
    return next();
  });

  return { router: t.router, open: guarded, peer, operator };
}

function unauthorized(detail: string): TrestleError {
  return new TrestleError({ code: 'unauthorized', detail });
}

function asTrpcError(error: unknown): TRPCError {
  if (error instanceof TRPCError) return error;
  if (error instanceof TrestleError) return toTrpcError(error);
  return new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause: error });
}
