import { setMaxListeners } from 'node:events';
import { TRPCClientError } from '@trpc/client';
import type { Client } from '../../../../client/createClient.js';
import { whyOf } from '../../../../client/failure.js';
import { tipView } from '../../../../server/api/views.js';
import { CAPABILITIES, USER_AGENT } from '../../../../server/net/handshake.js';
import type { PeerUrl } from '../../../../server/net/peerUrl.js';
import { requirePeerUrl } from '../../../../server/ownUrl.js';
import { toHex } from '../../../../shared/bytes/hex.js';
import { genesisBlock } from '../../../../shared/consensus/genesis.js';
import { type ChecksumAddress, formatAddress } from '../../../../shared/model/address.js';
import type { Block } from '../../../../shared/model/block.js';
import { confirmInput, PROTOCOL_VERSION } from '../../../../shared/rpc/nodeSchemas.js';
import { readSuperjson } from '../../../../shared/rpc/transformer.js';
import type { TipView } from '../../../../shared/rpc/views.js';
import { accept, refuse, type Verdict } from '../../../../shared/verdict.js';
import type { Key } from '../../../../shared/wallet/keys.js';
import { walletKey } from '../../wallets.js';
import { Dice } from '../dice.js';
import { Lifeline } from '../lifeline.js';
import type { SimNode } from '../simNode.js';
import type { Simulation } from '../simulation.js';
import type { Station, WireRequest, WireResponse } from '../wire.js';
import { type Answer, respond, SILENCE, value } from './answer.js';
import { Story } from './story.js';

/** How long a node may take to open a session of its own to whoever greeted it. */
const MEETING_MS = 10_000;
/** The first of the wallet keys that are liars': far above those of nodes. */
const FIRST_KEY = 1_000;

/** A session with one process of a node. */
interface Session {
  readonly lifeline: Lifeline;
  readonly client: Client;
}

/**
 * A machine that speaks the contract as a node does, and means harm. It repeats what honest nodes say, but for its story.
 * It knows more than any node can: it reads the stores of all it hears. Whatever it does by chance follows from its name
 * and the moment, so that a restored network meets the same liar.
 */
export class Liar implements Station {
  readonly name: string;
  /** What its coins are spent with. */
  readonly key: Key;
  readonly lifeline: Lifeline;
  readonly story = new Story();
  /** What it says it can do, in every hello from now on. */
  capabilities: readonly string[] = CAPABILITIES;
  readonly #net: Simulation;
  readonly #number: number;
  /** The address it begins with, where that was chosen for it. */
  readonly #first: string | undefined;
  /** Which of its addresses it uses, and how many it has. */
  #moves = 0;
  #addresses = 1;
  readonly #genesis: Block;
  readonly #ending = new AbortController();
  readonly #sessions = new Map<SimNode, Session>();
  /** Nonces of its hellos that are under way. */
  readonly #nonces = new Set<string>();

  constructor(number: number, net: Simulation, address?: string) {
    this.name = `liar${number}`;
    this.#number = number;
    this.#first = address;
    this.key = walletKey(FIRST_KEY + number);
    this.lifeline = new Lifeline(net.scheduler);
    this.#net = net;
    this.#genesis = genesisBlock(net.params);
    // Each call listens for the end, and a flood is many calls.
    setMaxListeners(0, this.#ending.signal);
  }

  get address(): string {
    return this.#addressAfter(this.#moves);
  }

  get url(): PeerUrl {
    return this.#urlAfter(this.#moves);
  }

  /** Where it has ever been called. */
  get urls(): readonly PeerUrl[] {
    return Array.from({ length: this.#addresses }, (_, moves) => this.#urlAfter(moves));
  }

  /** Where it is paid. */
  get payee(): ChecksumAddress {
    return formatAddress(this.key.address);
  }

  get answer(): (request: WireRequest) => Promise<WireResponse> {
    return (request) =>
      this.#answer(request).catch((error: unknown) => ({ status: 500, body: `${this.name} fails: ${String(error)}` }));
  }

  /** The tip it claims to have; that of the node it repeats where its story says nothing of it. */
  get tip(): TipView {
    const { tip, chain } = this.story;
    return tip ?? chain?.tip ?? this.#honestTip();
  }

  /** Whether a node runs, and both hear each other. */
  hears(node: SimNode): boolean {
    const { links } = this.#net;
    return node.isRunning && !links.routes.isCut(this.name, node.name) && !links.routes.isCut(node.name, this.name);
  }

  /** Says hello to a node unless both have sessions with each other; answers whether they have. */
  async meet(node: SimNode): Promise<boolean> {
    if (!this.hears(node) || node.lifeline === undefined) return false;
    this.#move();
    const knowsUs = (): boolean => node.running?.peers.get(this.url) !== undefined;
    if (this.#sessions.get(node)?.lifeline === node.lifeline && knowsUs()) return true;
    const greeted = await this.#greet(node, node.lifeline);
    return greeted && (await this.#net.scheduler.advanceUntil(knowsUs, MEETING_MS));
  }

  /** Calls a node that it has met, and lets time go by until it has answered. Answers what came, or why nothing did. */
  async tell<T>(node: SimNode, call: (client: Client) => Promise<T>): Promise<Verdict<T, string>> {
    const session = this.#sessions.get(node);
    if (session === undefined) throw new Error(`${this.name} has no session with ${node.name}: let them meet first`);
    return this.#hear(call(session.client));
  }

  /** Lets a line stand in the trace as its own. */
  note(what: string): void {
    this.#net.trace.add(this.#net.scheduler.now, this.name, what);
  }

  /** Takes it off the network. */
  leave(): void {
    for (this.#moves = 0; this.#moves < this.#addresses; this.#moves++) this.#net.wire.leave(this);
    this.#ending.abort();
    this.lifeline.kill();
  }

  /**
   * Goes on under the first of its addresses that nobody has banned, as whoever means harm does. It answers at all of
   * them; its sessions were those of the one before.
   */
  #move(): void {
    const { wire, nodes } = this.#net;
    const isBanned = (moves: number): boolean =>
      nodes.some(({ running }) => running?.bans.find(this.#urlAfter(moves)) !== undefined);
    let moves = 0;
    while (isBanned(moves)) moves += 1;
    if (moves === this.#moves) return;
    this.#moves = moves;
    this.#addresses = Math.max(this.#addresses, moves + 1);
    this.#sessions.clear();
    wire.join(this);
  }

  #addressAfter(moves: number): string {
    return (moves === 0 ? this.#first : undefined) ?? `10.9.${moves}.${this.#number + 1}`;
  }

  #urlAfter(moves: number): PeerUrl {
    return requirePeerUrl(`http://${this.#addressAfter(moves)}:${this.#net.params.nodePort}`);
  }

  async #greet(node: SimNode, lifeline: Lifeline): Promise<boolean> {
    let token: string | undefined;
    const dialer = this.#net.wire.dialer(this, { lifeline: this.lifeline, signal: this.#ending.signal });
    const client = dialer.dial(requirePeerUrl(node.url), { session: () => token });
    const nonce = this.#draw(`nonce for ${node.name}`);
    this.#nonces.add(nonce);
    const { hash: genesis } = this.#genesis.header;
    const { url, tip } = this;
    const capabilities = [...this.capabilities];
    const hello = { protocol: PROTOCOL_VERSION, capabilities, genesis, url, nonce, tip, userAgent: USER_AGENT };
    const answer = await this.#hear(client.node.hello.mutate(hello));
    this.#nonces.delete(nonce);
    if (!answer.ok) return false;
    token = answer.value.session;
    this.#sessions.set(node, { lifeline, client });
    return true;
  }

  async #hear<T>(answer: Promise<T>): Promise<Verdict<T, string>> {
    try {
      return accept(await this.#net.scheduler.during(answer));
    } catch (error) {
      if (error instanceof TRPCClientError) return refuse(whyOf(error));
      throw error;
    }
  }

  async #answer(request: WireRequest): Promise<WireResponse> {
    const path = new URL(request.url).pathname.slice('/trpc/'.length);
    const input = request.body === '' ? undefined : readSuperjson(JSON.parse(request.body));
    const answer = this.story.answerTo(path, input) ?? this.#own(path, input);
    return answer === undefined ? this.#repeat(request) : respond(answer);
  }

  /** What nobody else can answer in its place. */
  #own(path: string, input: unknown): Answer | undefined {
    const { tip } = this;
    const { hash: genesis } = this.#genesis.header;
    switch (path) {
      case 'node.hello': {
        const session = this.#draw('session');
        const capabilities = [...this.capabilities];
        const self = { protocol: PROTOCOL_VERSION, capabilities, genesis, tip, userAgent: USER_AGENT };
        return value({ ...self, session, confirmed: true });
      }
      case 'node.confirm':
        return value({ mine: this.#nonces.has(confirmInput.parse(input).nonce) });
      case 'node.ping':
        return value({ genesis, tip, time: this.#net.time });
      case 'block.announce':
        return value({ known: true });
      case 'transaction.announce':
        return value({ wanted: 0 });
      default:
        return undefined;
    }
  }

  /** Answers as an honest node would at this moment. */
  #repeat(request: WireRequest): Promise<WireResponse> {
    const { lifeline, answer } = this.#model() ?? {};
    if (lifeline === undefined || answer === undefined) return respond(SILENCE);
    return new Promise((resolve, reject) => lifeline.enter(() => void answer(request).then(resolve, reject)));
  }

  #honestTip(): TipView {
    const running = this.#model()?.running;
    const { height, hash } = this.#genesis.header;
    return running === undefined ? { height, hash, work: 0n } : tipView(running.chain);
  }

  /** The honest node that it repeats: of those it hears the one whose chain has the most work. */
  #model(): SimNode | undefined {
    let best: SimNode | undefined;
    for (const node of this.#net.nodes)
      if (this.hears(node) && (node.tip?.work ?? -1n) > (best?.tip?.work ?? -1n)) best = node;
    return best;
  }

  /** 16 bytes that nobody else draws, as hex. */
  #draw(what: string): string {
    const { seed, scheduler } = this.#net;
    return toHex(Dice.of(seed, `${what} of ${this.name} at ${scheduler.now}`).bytes(16));
  }
}
