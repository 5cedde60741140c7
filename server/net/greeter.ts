import type { Client } from '../../client/createClient.js';
import { reasonOf } from '../../client/failure.js';
import { TrestleError } from '../../shared/errors.js';
import type { BlockHash } from '../../shared/model/ids.js';
import { type HelloOutput, OLDEST_PROTOCOL, PROTOCOL_VERSION } from '../../shared/rpc/nodeSchemas.js';
import type { TipView } from '../../shared/rpc/views.js';
import type { Dialer } from './dialer.js';
import { checkGreeting, introduction, type OwnNonces } from './handshake.js';
import type { PeerUrl } from './peerUrl.js';

/** What saying hello needs. */
export interface GreeterParts {
  readonly genesis: BlockHash;
  readonly tip: () => TipView;
  /** Where this node can be reached; `null` where it cannot. */
  readonly ownUrl: () => PeerUrl | null;
  readonly dialer: Dialer;
  readonly nonces: OwnNonces;
}

/** A node that has answered our hello, with the session it gave us. */
export interface Greeted {
  readonly url: PeerUrl;
  /** Presents the session with every call. */
  readonly client: Client;
  readonly tip: TipView;
  /** Whether it can call us, too: it has done so before it answered. */
  readonly reachesUs: boolean;
  /** The version that both speak. */
  readonly protocol: number;
  /** The contract that it was built on; `null` where it is of a version that does not say. */
  readonly contract: string | null;
  /** What it can do beyond the calls that every node answers. */
  readonly capabilities: ReadonlySet<string>;
  readonly userAgent: string;
}

/** Says hello to other nodes. */
export class Greeter {
  readonly #parts: GreeterParts;

  constructor(parts: GreeterParts) {
    this.#parts = parts;
  }

  /**
   * Opens a session in the newest version that both speak; throws where the other side does not answer or cannot be a
   * peer.
   */
  async greet(url: PeerUrl): Promise<Greeted> {
    let token: string | undefined;
    const client = this.#parts.dialer.dial(url, { session: () => token });
    const answer = await this.#hello(client, PROTOCOL_VERSION).catch((error: unknown) => {
      const older = olderVersion(error);
      if (older === undefined) throw error;
      return this.#hello(client, older);
    });
    const verdict = checkGreeting(answer, this.#parts.genesis);
    if (!verdict.ok) throw new TrestleError(verdict.reject);
    token = answer.session;
    return {
      url,
      client,
      tip: answer.tip,
      reachesUs: answer.confirmed,
      protocol: verdict.value,
      contract: answer.contract ?? null,
      capabilities: new Set(answer.capabilities),
      userAgent: answer.userAgent,
    };
  }

  #hello(client: Client, protocol: number): Promise<HelloOutput> {
    const { genesis, tip, ownUrl, nonces } = this.#parts;
    return nonces.during((nonce) =>
      client.node.hello.mutate({ ...introduction(protocol), genesis, url: ownUrl(), nonce, tip: tip() }),
    );
  }
}

/** The version to say hello in again. Version 1 refuses what it does not know before it looks at any version. */
function olderVersion(error: unknown): number | undefined {
  const reason = reasonOf(error);
  if (reason?.code === 'bad-request') return OLDEST_PROTOCOL;
  const isOlder = reason?.code === 'peer-version' && reason.supported < PROTOCOL_VERSION;
  return isOlder && reason.supported >= OLDEST_PROTOCOL ? reason.supported : undefined;
}
