import { Chainstate } from '../../server/chain/chainstate.js';
import { VerifiedSet } from '../../server/chain/verifiedSet.js';
import type { Signatures } from '../../server/ports.js';
import type { Kv } from '../../server/store/kv.js';
import { memoryKv } from '../../server/store/memoryKv.js';
import { type NetworkFile, parseNetwork } from '../../shared/consensus/params.js';
import type { Reject } from '../../shared/consensus/reject.js';
import { decodeBlock } from '../../shared/model/block.js';
import { decodeHeader, HEADER_BYTES, type Header } from '../../shared/model/header.js';
import { silentLog } from '../kit/sim/silentLog.js';
import { stillClock } from '../support/memoryChain.js';
import type { Step } from './scenario.js';

/** What the real chain runs on: a test of the oracle puts something broken there. */
export interface Machine {
  readonly signatures: Signatures;
  readonly kv?: Kv;
}

/** The real chain over a store in memory, handed bytes as `block.submit` and synchronization hand them over. */
export class Real {
  readonly chain: Chainstate;
  /** The active chain as its events tell it, without genesis. */
  readonly told: string[] = [];
  readonly #clock: ReturnType<typeof stillClock>;
  #contradiction: string | undefined;

  private constructor(chain: Chainstate, clock: ReturnType<typeof stillClock>) {
    this.chain = chain;
    this.#clock = clock;
    chain.events.on('connected', ({ block }) => {
      const below = this.told.at(-1) ?? chain.genesis.header.hash;
      if (block.header.previous !== below) this.#contradiction = `connected ${block.header.hash} on ${below}`;
      this.told.push(block.header.hash);
    });
    chain.events.on('disconnected', ({ block }) => {
      if (this.told.pop() !== block.header.hash) this.#contradiction = `disconnected ${block.header.hash}`;
    });
    chain.events.on('settled', ({ tip }) => {
      const { hash } = tip.header;
      if ((this.told.at(-1) ?? chain.genesis.header.hash) !== hash) this.#contradiction = `settled on ${hash}`;
    });
  }

  static async open(file: NetworkFile, { now, signatures, kv = memoryKv() }: { now: number } & Machine): Promise<Real> {
    const clock = stillClock(now);
    const chain = await Chainstate.open({
      params: parseNetwork(file),
      kv,
      directory: 'memory',
      clock,
      signatures,
      verified: new VerifiedSet(),
      log: silentLog,
    });
    return new Real(chain, clock);
  }

  /** What events have said that cannot be. */
  get contradiction(): string | undefined {
    return this.#contradiction;
  }

  /** One answer for each thing handed in. */
  async take(step: Step): Promise<string[]> {
    switch (step.kind) {
      case 'clock':
        this.#clock.set(step.now);
        return [];
      case 'block':
        return [await this.#block(step.bytes)];
      case 'rush':
        return Promise.all(step.blocks.map((bytes) => this.#queued(bytes)));
      case 'headers':
        return [await this.#headers(step.headers)];
    }
  }

  async #headers(list: readonly Uint8Array[]): Promise<string> {
    const headers: Header[] = [];
    for (const bytes of list) {
      const header = decodeHeader(bytes);
      if (!header.ok) return 'header-malformed';
      headers.push(header.value);
    }
    const verdict = await this.chain.submitHeaders(headers);
    return verdict.ok ? 'taken' : textOf(verdict.reject);
  }

  async #block(bytes: Uint8Array): Promise<string> {
    const header = decodeHeader(bytes.subarray(0, HEADER_BYTES));
    if (!header.ok) return 'block-malformed';
    const first = this.chain.gate.check(header.value);
    if (!first.ok) return textOf(first.reject);
    return this.#queued(bytes);
  }

  async #queued(bytes: Uint8Array): Promise<string> {
    const block = decodeBlock(bytes);
    if (!block.ok) return 'block-malformed';
    const verdict = await this.chain.submitBlock(block.value);
    return verdict.ok ? verdict.value.status : textOf(verdict.reject);
  }
}

function textOf(reject: Reject): string {
  return reject.code === 'block-tx' ? `block-tx ${reject.position} ${reject.reject.code}` : reject.code;
}
