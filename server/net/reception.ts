import { reasonOf, whyOf } from '../../client/failure.js';
import { TrestleError } from '../../shared/errors.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { HelloInput, HelloOutput } from '../../shared/rpc/nodeSchemas.js';
import type { Caller } from '../../shared/rpc/trpc.js';
import type { TipView } from '../../shared/rpc/views.js';
import { plainAddress } from './addressPolicy.js';
import type { Bans } from './bans.js';
import { banOn } from './banTargets.js';
import type { Dialer } from './dialer.js';
import { checkGreeting, introduction, type OwnNonces } from './handshake.js';
import { groupOfAddress } from './netGroup.js';
import type { PeerBook } from './peerBook.js';
import { type PeerUrl, parsePeerUrl } from './peerUrl.js';
import type { Sessions } from './sessions.js';

/** How long the call back may take, and how much it may answer: it must cost us less than the hello cost the caller. */
const CONFIRM_TIMEOUT_MS = 2_000;
const CONFIRM_BYTES = 4_096;

/** What the reception needs. */
export interface ReceptionParts {
  readonly genesis: BlockHash;
  readonly tip: () => TipView;
  readonly nonces: OwnNonces;
  readonly sessions: Sessions;
  readonly book: PeerBook;
  readonly dialer: Dialer;
  readonly bans: Bans;
  /** Told of each URL that a caller proved to be its own. */
  readonly onConfirmed: (url: PeerUrl) => void;
}

/**
 * Answers hellos. A caller's URL is believed only after one call there has shown that the caller itself answers: only
 * then does it enter the book as a node to be dialled.
 */
export class Reception {
  readonly #parts: ReceptionParts;

  constructor(parts: ReceptionParts) {
    this.#parts = parts;
  }

  async hello(input: HelloInput, caller: Caller): Promise<HelloOutput> {
    const { genesis, nonces, sessions } = this.#parts;
    const verdict = checkGreeting(input, genesis);
    if (!verdict.ok) throw new TrestleError(verdict.reject);
    if (nonces.has(input.nonce)) throw new TrestleError({ code: 'peer-self' });
    const ban = banOn(this.#parts.bans, input.url, caller.remoteAddress);
    if (ban !== undefined) throw new TrestleError({ code: 'peer-banned', target: ban.target, until: ban.until });
    const url = input.url === null ? null : await this.#confirm(input.url, input.nonce, caller);
    const session = sessions.open(url, caller.remoteAddress);
    if (url !== null) this.#parts.onConfirmed(url);
    return {
      ...introduction(verdict.value),
      genesis,
      tip: this.#parts.tip(),
      session: session.token,
      confirmed: url !== null,
    };
  }

  /** The URL, once the caller has answered there; `null` where it points elsewhere and is no more than gossip. */
  async #confirm(text: string, nonce: string, caller: Caller): Promise<PeerUrl | null> {
    const { dialer, book } = this.#parts;
    const url = parsePeerUrl(text);
    if (url === undefined)
      throw new TrestleError({ code: 'peer-address', url: text, detail: 'not scheme, host and port' });
    const resolved = await dialer.resolve(url).catch((error: unknown) => {
      // An address that may not be called from here is none; the caller is welcome all the same.
      if (reasonOf(error)?.code === 'peer-address') return undefined;
      throw error;
    });
    if (resolved === undefined) return null;
    const addresses = resolved.map(plainAddress);
    if (!addresses.includes(plainAddress(caller.remoteAddress))) {
      await book.learn(url, groupOfAddress(caller.remoteAddress));
      return null;
    }
    const client = dialer.dial(url, { timeoutMs: CONFIRM_TIMEOUT_MS, maxBytes: CONFIRM_BYTES });
    const answer = await client.node.confirm.query({ nonce }).catch((error: unknown) => {
      throw new TrestleError({ code: 'peer-unreachable', url, detail: whyOf(error) }, { cause: error });
    });
    if (!answer.mine) throw new TrestleError({ code: 'peer-unreachable', url, detail: 'another node answers there' });
    await book.confirmed(url);
    return url;
  }
}
