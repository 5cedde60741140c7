import { within } from '../../client/links.js';
import { toBase64 } from '../../shared/bytes/base64.js';
import type { Block } from '../../shared/model/block.js';
import { encodeHeader, type Header } from '../../shared/model/header.js';
import type { ProvedEvent, SettledEvent } from '../chain/events.js';
import { BULK_TIMEOUT_MS } from '../net/dialer.js';
import { COMPACT_BLOCKS } from '../net/handshake.js';
import type { Peer } from '../net/peer.js';
import type { RelayContext } from './relayContext.js';

/**
 * Tells peers of blocks, each of each block once. Those that take the short form hear of a block as soon as it is proved,
 * before its coins and signatures are looked at (BIP 152, high bandwidth): they know that it may still be invalid. The
 * others hear of it once it is connected, for they would hold it against us.
 */
export class BlockAnnouncer {
  readonly #context: RelayContext;
  readonly #stop: (() => void)[];

  constructor(context: RelayContext) {
    this.#context = context;
    const { events } = context.chain;
    this.#stop = [
      events.on('proved', (event) => this.#onProved(event)),
      events.on('settled', (event) => this.#onSettled(event)),
    ];
  }

  close(): void {
    for (const stop of this.#stop) stop();
  }

  #onProved({ block, record }: ProvedEvent): void {
    const { recent, sync, signal } = this.#context;
    if (sync.isStep(record) || signal.aborted) return;
    recent.add(block);
    for (const peer of this.#toTell(block.header)) if (takesCompact(peer)) this.#tell(peer, block.header, { block });
  }

  #onSettled({ tip }: SettledEvent): void {
    const { recent, chain, sync, signal } = this.#context;
    if (sync.isStep(tip) || signal.aborted) return;
    const { header } = tip;
    const peers = this.#toTell(header);
    const isCompact = peers.some(takesCompact);
    const block = isCompact ? (recent.get(header.hash) ?? chain.store.block(header.hash)) : undefined;
    for (const peer of peers) this.#tell(peer, header, { block: takesCompact(peer) ? block : undefined });
  }

  /** The peers that are not known to have a block. */
  #toTell({ hash }: Header): Peer[] {
    const { peers, inventory } = this.#context;
    return peers.all().filter((peer) => !inventory.has(peer, hash));
  }

  #tell(peer: Peer, header: Header, { block }: { readonly block: Block | undefined }): void {
    const { background, inventory, recent } = this.#context;
    inventory.add(peer, header.hash);
    const compact = block === undefined ? undefined : recent.compactOf(block);
    background.run('announcing a block', this.#announce(peer, header, compact));
  }

  async #announce(peer: Peer, header: Header, compact: string | undefined): Promise<void> {
    const { peers } = this.#context;
    const encoded = toBase64(encodeHeader(header));
    const input = compact === undefined ? { header: encoded } : { header: encoded, compact };
    const told = await peers.ask(peer, (client) => client.block.announce.mutate(input));
    if (peer.reachesUs || !told.ok || told.value.known) return;
    await this.#push(peer, header);
  }

  /** A peer that cannot call us cannot ask for the block either: where it has it from nobody else, it is handed it. */
  async #push(peer: Peer, { hash }: Header): Promise<void> {
    const { chain, peers } = this.#context;
    const raw = chain.store.rawBlock(hash);
    if (raw === undefined) return;
    const block = toBase64(raw);
    await peers.ask(peer, (client) => client.block.submit.mutate({ block }, within(BULK_TIMEOUT_MS)));
  }
}

function takesCompact({ capabilities, reachesUs }: Peer): boolean {
  return reachesUs && capabilities.has(COMPACT_BLOCKS);
}
