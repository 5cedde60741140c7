import { TrestleError } from '../../shared/errors.js';
import type { Caller } from '../../shared/rpc/trpc.js';
import { addressKey } from '../net/addressKey.js';
import type { Bans } from '../net/bans.js';
import type { Clock } from '../ports.js';
import type { Incoming } from './callers.js';
import { costOf, isKnown } from './costs.js';
import { type Kind, Quotas } from './quotas.js';

/** Whoever has no session of a peer that was called back: wallets, explorers, miners, nodes behind a router. */
export const STRANGERS: Kind = {
  name: 'strangers',
  each: { rate: 100, burst: 1_000 },
  together: { rate: 300, burst: 200 },
};
/** Peers: a full range of blocks costs 12 ms, and one that catches up asks for one after the other. */
export const PEERS: Kind = {
  name: 'peers',
  each: { rate: 300, burst: 3_000 },
  together: { rate: 700, burst: 1_400 },
};
/** What a request costs its sender that nobody who speaks the contract sends. */
const GARBAGE_MS = 150;
/** Strikes after which a caller that still goes on is kept out for a while. */
const MOST_STRIKES = 20;
const QUOTA_BAN_MS = 600_000;
/** Whoever is kept out is told so now and then; beside that its connections are closed unread. */
const BANNED: Kind = { name: 'banned', each: { rate: 1, burst: 5 }, together: { rate: 20, burst: 40 } };
/** Connections of one address. A node keeps eight to each of its peers, a browser six. */
export const MAX_CONNECTIONS_PER_ADDRESS = 64;
/** Failures that no honest caller's software causes. */
const FINED: ReadonlySet<string> = new Set(['bad-request', 'too-large', 'unauthorized', 'peer-address']);

/** What a server asks about each request before anything of it is read. */
export interface Door {
  /** Why a request is not answered; `undefined` where it is. The path is that of its procedures. */
  refusalOf(incoming: Incoming, path: string): TrestleError | undefined;
  /** A call has failed, for this reason. */
  failed(incoming: Incoming, code: string): void;
  /** Whether an address may have one more connection than these. */
  mayConnect(remoteAddress: string, open: number): boolean;
}

/** What the door needs. */
export interface AdmissionParts {
  readonly bans: Bans;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly callerOf: (incoming: Incoming) => Caller;
  /** Addresses whose callers are not counted. */
  readonly isExempt: (address: string) => boolean;
  /** Whether many nodes share an address, so that none of them may be banned by it. */
  readonly isShared: (address: string) => boolean;
}

/**
 * The door of a server: who is banned, and who asks for more than its share. Callers are told apart by the session of a
 * peer that was called back, else by address; the operator goes in and out. Bounds: `STRANGERS`, `PEERS`, `MAX_CALLERS`.
 */
export class Admission implements Door {
  readonly #parts: AdmissionParts;
  readonly #quotas = new Quotas();

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  refusalOf(incoming: Incoming, path: string): TrestleError | undefined {
    const { bans, clock, callerOf, isExempt, isShared } = this.#parts;
    const caller = callerOf(incoming);
    if (caller.operator) return undefined;
    const address = addressKey(incoming.remoteAddress);
    const ban = bans.find(address);
    if (ban !== undefined) return banned(ban);
    if (isExempt(incoming.remoteAddress)) return undefined;
    const { key, kind } = accountOf(caller, address);
    const admitted = this.#quotas.take(key, kind, { cost: costOf(path), now: clock.monotonic() });
    if (admitted.ok) {
      if (isKnown(path)) return undefined;
      this.#fine(incoming, caller);
      return new TrestleError({ code: 'not-found', detail: `no procedure ${path.slice(0, 100)}` });
    }
    if (admitted.strikes > MOST_STRIKES && !isShared(incoming.remoteAddress)) {
      // The ban is what the strikes were for.
      this.#quotas.forget(key);
      return banned(bans.ban(address, QUOTA_BAN_MS, 'peer-quota'));
    }
    return new TrestleError({ code: 'peer-quota', retryMs: admitted.retryMs });
  }

  failed(incoming: Incoming, code: string): void {
    const { callerOf, isExempt } = this.#parts;
    if (!FINED.has(code) || isExempt(incoming.remoteAddress)) return;
    const caller = callerOf(incoming);
    if (!caller.operator) this.#fine(incoming, caller);
  }

  mayConnect(remoteAddress: string, open: number): boolean {
    const { bans, clock, isExempt } = this.#parts;
    const address = addressKey(remoteAddress);
    if (bans.find(address) !== undefined && !isExempt(remoteAddress))
      return this.#quotas.take(`banned ${address}`, BANNED, { cost: 1, now: clock.monotonic() }).ok;
    return open < MAX_CONNECTIONS_PER_ADDRESS || isExempt(remoteAddress);
  }

  #fine({ remoteAddress }: Incoming, caller: Caller): void {
    const { key, kind } = accountOf(caller, addressKey(remoteAddress));
    this.#quotas.fine(key, kind, { cost: GARBAGE_MS, now: this.#parts.clock.monotonic() });
  }
}

/** On whose account a call goes: that of the peer's session, or of the address. */
function accountOf({ session }: Caller, address: string): { readonly key: string; readonly kind: Kind } {
  return session?.url == null ? { key: address, kind: STRANGERS } : { key: session.url, kind: PEERS };
}

function banned({ target, until }: { readonly target: string; readonly until: number }): TrestleError {
  return new TrestleError({ code: 'peer-banned', target, until });
}
