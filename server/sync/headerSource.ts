import { within } from '../../client/links.js';
import { parseBase64 } from '../../shared/bytes/base64.js';
import { HEADER_BYTES, type Header } from '../../shared/model/header.js';
import type { BlockHash } from '../../shared/model/ids.js';
import { MAX_HEADERS } from '../../shared/rpc/blockSchemas.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { Background } from '../background.js';
import { BULK_TIMEOUT_MS } from '../net/dialer.js';
import type { Peer } from '../net/peer.js';
import type { Peers } from '../net/peers.js';
import type { Clock } from '../ports.js';
import { followLocator, readHeaders } from './bodies.js';

/** How long one peer may take to answer with headers until another is asked as well. */
export const HEDGE_MS = 2_000;
/** Headers that are decoded without a pause: some two milliseconds. */
const SLICE = 200;

/** What asking for headers needs. */
export interface HeaderSourceParts {
  readonly peers: Peers;
  readonly clock: Pick<Clock, 'after' | 'yield'>;
  readonly background: Background;
}

/** What is asked for: the headers after the first hash that the peer has on its chain. */
export interface HeaderQuestion {
  readonly locator: readonly BlockHash[];
  readonly limit?: number;
}

/** Headers, and who sent them. */
export interface HeaderAnswer {
  readonly peer: Peer;
  readonly headers: readonly Header[];
  /** The work that the peer claimed to have before it was asked. */
  readonly claim: bigint;
}

/** Asks peers for headers. Owner: `headerSync`. */
export class HeaderSource {
  readonly #parts: HeaderSourceParts;
  /** How many questions each peer has not answered yet. */
  readonly #open = new Map<Peer, number>();

  constructor(parts: HeaderSourceParts) {
    this.#parts = parts;
  }

  /** Whether a peer still owes an answer. */
  isAsked(peer: Peer): boolean {
    return this.#open.has(peer);
  }

  /** Asks one peer. Who answers with headers that do not follow what was asked has been charged with it. */
  async ask(peer: Peer, { locator, limit = MAX_HEADERS }: HeaderQuestion): Promise<Verdict<Header[], string>> {
    const { peers } = this.#parts;
    this.#count(peer, 1);
    const answer = await peers
      .ask(peer, (client) => client.block.headers.query({ locator: [...locator], limit }, within(BULK_TIMEOUT_MS)))
      .finally(() => this.#count(peer, -1));
    if (!answer.ok) return answer;
    const headers = await this.#decode(answer.value.headers, limit);
    if (headers !== undefined && followLocator(headers, locator)) return accept(headers);
    peers.lied(peer, 'block.headers: not what was asked for');
    return refuse('peer-protocol');
  }

  /**
   * The first valid answer of several peers. Each next one is asked when the one before has failed, or has not answered
   * for a while: one that hangs costs its own good name, and everybody else two seconds.
   */
  first(next: () => Peer | undefined, question: HeaderQuestion): Promise<Verdict<HeaderAnswer, string>> {
    const { clock, background } = this.#parts;
    return new Promise((resolve, reject) => {
      let open = 0;
      let isOver = false;
      let cancel = (): void => {};
      const end = (settle: () => void): void => {
        isOver = true;
        cancel();
        settle();
      };
      const askNext = (why: string): void => {
        cancel();
        const peer = next();
        if (peer === undefined && open === 0) {
          end(() => resolve(refuse(why)));
          return;
        }
        // Where nobody else can be asked now, somebody may turn up.
        cancel = clock.after(HEDGE_MS, () => askNext(why));
        if (peer !== undefined) background.run('asking for headers', askOne(peer));
      };
      const askOne = async (peer: Peer): Promise<void> => {
        open += 1;
        const claim = peer.tip.work;
        const answer = await this.ask(peer, question).catch((error: unknown) => {
          end(() => reject(error));
          throw error;
        });
        open -= 1;
        if (isOver) return;
        if (answer.ok) end(() => resolve(accept({ peer, headers: answer.value, claim })));
        else askNext(answer.reject);
      };
      askNext('nobody to ask');
    });
  }

  #count(peer: Peer, by: 1 | -1): void {
    const open = (this.#open.get(peer) ?? 0) + by;
    if (open === 0) this.#open.delete(peer);
    else this.#open.set(peer, open);
  }

  async #decode(text: string, limit: number): Promise<Header[] | undefined> {
    const bytes = parseBase64(text);
    if (bytes === undefined || bytes.length % HEADER_BYTES !== 0) return undefined;
    const count = bytes.length / HEADER_BYTES;
    if (count > limit) return undefined;
    const headers: Header[] = [];
    for (let from = 0; from < count; from += SLICE) {
      if (from > 0) await this.#parts.clock.yield();
      const slice = readHeaders(bytes, from, Math.min(from + SLICE, count));
      if (slice === undefined) return undefined;
      headers.push(...slice);
    }
    return headers;
  }
}
