import type { NetworkParams } from '../../../../shared/consensus/params.js';
import { breaksBlock, breaksBody, breaksConnected } from '../../model/blockRules.js';
import { type ExpectedRows, expectedRows } from '../../model/compare.js';
import { breaksHeader } from '../../model/headerRules.js';
import { addressesOf, confirmBlock, EMPTY, type Ledger, supplyOf } from '../../model/ledger.js';
import { type Block, decodeBlock, type Header } from '../../model/model.js';
import { genesisOf, type Network } from '../../model/network.js';
import { networkOfParams } from '../../model/networkOfParams.js';
import { Signers } from '../../model/signatures.js';

/** A block, what the plain rules say of it, and what the chain up to it comes to. */
export interface Judged {
  readonly block: Block;
  readonly parent: Judged | undefined;
  /** The code of the rule that it, or a block below it, breaks. */
  readonly broken: string | undefined;
  readonly ledger: Ledger;
  readonly sums: { readonly transactions: number; readonly addresses: number; readonly supply: bigint };
}

/** No clock of ours: whether a block came too early is for whoever knows the node's clock. */
const END_OF_TIME = Number.MAX_SAFE_INTEGER / 2;

/** Signatures are worked out once a process, whichever network of whichever seed asks. */
const signers = new Signers();

/**
 * The chain as the plain second validator sees it, for all nodes of a simulation at once: each block is judged once,
 * from its bytes, by rules that share no code with the node's.
 */
export class Reference {
  readonly network: Network;
  readonly #genesis: Block;
  readonly #judged = new Map<string, Judged>();
  readonly #expected = new Map<string, ExpectedRows>();

  constructor(params: NetworkParams) {
    this.network = networkOfParams(params);
    this.#genesis = genesisOf(this.network);
    const ledger = confirmBlock(EMPTY, this.#genesis);
    this.#judged.set(this.#genesis.header.hash, {
      ...{ block: this.#genesis, parent: undefined, broken: undefined, ledger },
      sums: sumsOf(ledger),
    });
  }

  /** Judges a block and, before it, whatever is below it and not judged yet. */
  judge(hash: string, rawOf: (hash: string) => Uint8Array | undefined): Judged {
    const path: { hash: string; block: Block }[] = [];
    let known = this.#judged.get(hash);
    for (let at = hash; known === undefined; known = this.#judged.get(at)) {
      const block = decodeBlock(rawOf(at) ?? new Uint8Array(0));
      if (block === undefined || block.header.hash !== at) throw new Error(`the bytes of block ${at} are not its own`);
      path.push({ hash: at, block });
      at = block.header.previous;
    }
    for (const { hash: at, block } of path.reverse()) {
      known = this.#judgeOn(known, block);
      this.#judged.set(at, known);
    }
    return known;
  }

  /** What a store must hold at a tip. */
  expected(tip: Judged): ExpectedRows {
    const { hash } = tip.block.header;
    const expected = this.#expected.get(hash) ?? expectedRows(branchOf(tip), tip.ledger);
    this.#expected.set(hash, expected);
    return expected;
  }

  #judgeOn(parent: Judged, block: Block): Judged {
    const { network } = this;
    const headers: Header[] = branchOf(parent).map(({ header }) => header);
    const context = { network, genesis: this.#genesis.header.hash, signers };
    const broken =
      parent.broken ??
      breaksHeader(block.header, { branch: headers, invalid: false }, { network, now: END_OF_TIME }) ??
      breaksBody(block) ??
      breaksBlock(block, network) ??
      breaksConnected(block, parent.ledger, context);
    const ledger = confirmBlock(parent.ledger, block);
    return { block, parent, broken, ledger, sums: sumsOf(ledger) };
  }
}

/** From genesis to a block. */
export function branchOf(tip: Judged): Block[] {
  const branch: Block[] = [];
  for (let at: Judged | undefined = tip; at !== undefined; at = at.parent) branch.push(at.block);
  return branch.reverse();
}

function sumsOf(ledger: Ledger): Judged['sums'] {
  return {
    transactions: ledger.transactions,
    addresses: addressesOf(ledger).length,
    supply: supplyOf(ledger),
  };
}
