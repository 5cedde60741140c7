import type { Client } from '../../client/createClient.js';
import { TrestleError } from '../../shared/errors.js';
import type { BlockHash } from '../../shared/model/ids.js';
import { PROTOCOL_VERSION } from '../../shared/rpc/nodeSchemas.js';
import type { TipView } from '../../shared/rpc/views.js';
import type { Dialer } from './dialer.js';
import { CAPABILITIES, checkGreeting, type OwnNonces, USER_AGENT } from './handshake.js';
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
  readonly userAgent: string;
  readonly capabilities: readonly string[];
  /** Whether it can call us, too: it has done so before it answered. */
  readonly reachesUs: boolean;
}

/** Says hello to other nodes. */
export class Greeter {
  readonly #parts: GreeterParts;

  constructor(parts: GreeterParts) {
    this.#parts = parts;
  }

  /** Opens a session; throws where the other side does not answer or cannot be a peer. */
  async greet(url: PeerUrl): Promise<Greeted> {
    const { genesis, tip, ownUrl, dialer, nonces } = this.#parts;
    let token: string | undefined;
    const client = dialer.dial(url, { session: () => token });
    const answer = await nonces.during((nonce) =>
      client.node.hello.mutate({
        protocol: PROTOCOL_VERSION,
        capabilities: [...CAPABILITIES],
        genesis,
        url: ownUrl(),
        nonce,
        tip: tip(),
        userAgent: USER_AGENT,
      }),
    );
    const verdict = checkGreeting(answer, genesis);
    if (!verdict.ok) throw new TrestleError(verdict.reject);
    token = answer.session;
    const { userAgent, capabilities } = answer;
    return { url, client, tip: answer.tip, userAgent, capabilities, reachesUs: answer.confirmed };
  }
}
