import { breaksBlock, breaksBody, breaksConnected } from './blockRules.js';
import { workOf } from './difficulty.js';
import { breaksHeader } from './headerRules.js';
import { confirmBlock, EMPTY, type Ledger } from './ledger.js';
import { type Block, decodeBlock, decodeHeader, HEADER_SIZE, type Header } from './model.js';
import { genesisOf, type Network } from './network.js';
import { Signers } from './signatures.js';
import type { Broken } from './transactionRules.js';

/** A header that was taken, and what became of it. */
interface Entry {
  readonly header: Header;
  readonly parent: Entry | undefined;
  /** Of the whole branch, genesis aside. */
  readonly work: bigint;
  body: Block | undefined;
  invalid: boolean;
}

/** What one thing that was handed in came to: `connected`, `side`, `known`, `taken`, or the code of a broken rule. */
export type Answer = string;

/**
 * A node written down a second time, from docs/PROTOCOL.md alone: every header in one list, every branch walked from
 * its end, every switch of branches replayed from genesis. It is slow on purpose and shares no rule with the real one.
 */
export class Validator {
  readonly network: Network;
  readonly genesis: Block;
  now: number;
  /** The active chain, genesis first. */
  chain: readonly Block[];
  /** What the active chain comes to. */
  ledger: Ledger;
  /** How many blocks left the active chain at the last thing handed in. */
  left = 0;
  readonly #signers = new Signers();
  readonly #entries: Entry[];

  constructor(network: Network, now: number) {
    this.network = network;
    this.now = now;
    this.genesis = genesisOf(network);
    this.chain = [this.genesis];
    this.ledger = confirmBlock(EMPTY, this.genesis);
    this.#entries = [{ header: this.genesis.header, parent: undefined, work: 0n, body: this.genesis, invalid: false }];
  }

  /** The most work of any branch of valid headers, whether their bodies are here or not. */
  get bestWork(): bigint {
    const valid = this.#entries.filter(({ invalid }) => !invalid);
    return valid.reduce((most, { work }) => (work > most ? work : most), 0n);
  }

  /** Headers that follow one another. */
  submitHeaders(list: readonly Uint8Array[]): Answer {
    this.left = 0;
    const headers = list.map(decodeHeader);
    if (headers.includes(undefined)) return 'header-malformed';
    const fresh: Entry[] = [];
    let code: Broken;
    let last: Entry | undefined;
    for (const header of headers) {
      if (header === undefined) continue;
      const known = this.#find(header.hash) ?? fresh.find((entry) => entry.header.hash === header.hash);
      if (known !== undefined) {
        last = known;
        continue;
      }
      const parent = this.#find(header.previous) ?? fresh.find((entry) => entry.header.hash === header.previous);
      code = this.#breaksHeader(header, parent);
      if (code !== undefined) break;
      last = entryOn(parent, header);
      fresh.push(last);
    }
    if (fresh.length > 0 && last !== undefined && last.work < this.#leastWork()) return code ?? 'header-minimum-work';
    this.#entries.push(...fresh);
    return code ?? 'taken';
  }

  /** A whole block. */
  submitBlock(bytes: Uint8Array): Answer {
    this.left = 0;
    const header = decodeHeader(bytes.slice(0, HEADER_SIZE));
    if (header === undefined) return 'block-malformed';
    const known = this.#find(header.hash);
    const parent = this.#find(header.previous);
    if (known === undefined) {
      const code = this.#breaksHeader(header, parent);
      if (code !== undefined) return code;
    }
    const block = decodeBlock(bytes);
    if (block === undefined) return 'block-malformed';
    if (known?.invalid) return 'block-known-invalid';
    if (known?.body !== undefined) return 'known';
    if (known === undefined && entryOn(parent, header).work < this.#leastWork()) return 'header-minimum-work';
    if (parent?.body === undefined) return 'header-parent-unknown';
    const blame = breaksBody(block);
    if (blame !== undefined) return blame;
    const entry = known ?? entryOn(parent, header);
    if (known === undefined) this.#entries.push(entry);
    const code = breaksBlock(block, this.network);
    if (code !== undefined) {
      this.#markInvalid(entry);
      return code;
    }
    entry.body = block;
    return this.#follow(entry);
  }

  #breaksHeader(header: Header, parent: Entry | undefined): Broken {
    const below = parent && { branch: branchOf(parent).map((entry) => entry.header), invalid: parent.invalid };
    return breaksHeader(header, below, { network: this.network, now: this.now });
  }

  /** Goes over to the branch that ends in this entry where it has more work, unless one of its blocks is bad. */
  #follow(entry: Entry): Answer {
    const tip = this.#find(this.chain.at(-1)?.header.hash ?? '');
    if (tip === undefined) throw new Error('the tip is lost');
    if (entry.work <= tip.work) return 'side';
    const extends_ = entry.parent === tip;
    let ledger = extends_ ? this.ledger : EMPTY;
    for (const step of extends_ ? [entry] : branchOf(entry)) {
      if (step.body === undefined) throw new Error('a body is missing below a stored one');
      const context = { network: this.network, genesis: this.genesis.header.hash, signers: this.#signers };
      const code = step.parent === undefined ? undefined : breaksConnected(step.body, ledger, context);
      if (code !== undefined) {
        this.#markInvalid(step);
        return step === entry ? code : 'header-parent-invalid';
      }
      ledger = confirmBlock(ledger, step.body);
    }
    const chain = branchOf(entry).flatMap(({ body }) => body ?? []);
    this.left = this.chain.filter((block) => !chain.includes(block)).length;
    this.chain = chain;
    this.ledger = ledger;
    return 'connected';
  }

  #markInvalid(entry: Entry): void {
    for (const other of this.#entries) if (branchOf(other).includes(entry)) other.invalid = true;
  }

  /** The work below which a branch is not kept. */
  #leastWork(): bigint {
    const tip = this.#find(this.chain.at(-1)?.header.hash ?? '');
    if (tip === undefined) throw new Error('the tip is lost');
    const near = tip.work - 144n * workOf(tip.header.bits);
    return near > this.network.minimumWork ? near : this.network.minimumWork;
  }

  #find(hash: string): Entry | undefined {
    return this.#entries.find(({ header }) => header.hash === hash);
  }
}

function entryOn(parent: Entry | undefined, header: Header): Entry {
  const work = (parent?.work ?? 0n) + workOf(header.bits);
  return { header, parent, work, body: undefined, invalid: false };
}

/** From genesis to an entry. */
function branchOf(entry: Entry): Entry[] {
  const branch: Entry[] = [];
  for (let at: Entry | undefined = entry; at !== undefined; at = at.parent) branch.push(at);
  return branch.reverse();
}
