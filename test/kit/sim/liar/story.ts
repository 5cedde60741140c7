import { toBase64 } from '../../../../shared/bytes/base64.js';
import { ByteWriter } from '../../../../shared/bytes/writer.js';
import type { Block } from '../../../../shared/model/block.js';
import { encodeHeader, type Header } from '../../../../shared/model/header.js';
import type { BlockHash, TxId, Wtxid } from '../../../../shared/model/ids.js';
import type { Transaction } from '../../../../shared/model/transaction.js';
import { headersInput, ofBlock, rangeInput } from '../../../../shared/rpc/blockSchemas.js';
import { rawInput } from '../../../../shared/rpc/transactionSchemas.js';
import type { TipView } from '../../../../shared/rpc/views.js';
import { type Answer, SILENCE, type Teller, value } from './answer.js';
import type { FeignedChain } from './feignedChain.js';

/** What a liar has to say of its own, by what it is asked. Where it has nothing to say, it does as honest nodes do. */
export class Story {
  /** By procedure, before anything else. */
  readonly answers = new Map<string, Teller>();
  /** What comes where a block is asked for by its hash: a block, be it that one or not, or another answer. */
  readonly blocks = new Map<BlockHash, Block | Answer>();
  /** What comes where a transaction is asked for. One who is silent answers nothing else of the same question either. */
  readonly transactions = new Map<Wtxid, Transaction | 'absent' | 'silence'>();
  /** The same where it is asked for by its txid, as the parent of another. */
  readonly parents = new Map<TxId, Transaction | 'absent' | 'silence'>();
  /** The chain it claims to have. */
  chain: FeignedChain | undefined;
  /** The tip it claims to have, whatever headers it shows. */
  tip: TipView | undefined;

  /** Takes everything back. */
  recant(): void {
    this.answers.clear();
    this.blocks.clear();
    this.transactions.clear();
    this.parents.clear();
    this.chain = undefined;
    this.tip = undefined;
  }

  /** Serves a block as it is. */
  serve(block: Block): void {
    this.blocks.set(block.header.hash, block);
  }

  /** What it says to a call; `undefined` where it has nothing of its own to say. */
  answerTo(path: string, input: unknown): Answer | undefined {
    const told = this.answers.get(path);
    if (told !== undefined) return typeof told === 'function' ? told(input) : told;
    switch (path) {
      case 'block.headers':
        return this.#headers(input);
      case 'block.range':
        return this.#range(input);
      case 'block.raw':
        return this.#block(input);
      case 'transaction.raw':
        return this.#transactions(input);
      default:
        return undefined;
    }
  }

  #headers(input: unknown): Answer | undefined {
    if (this.chain === undefined) return undefined;
    const { locator, limit } = headersInput.parse(input);
    return headersAnswer(this.chain.after(locator, limit));
  }

  /** Blocks along its chain, as far as it serves them. Where it would not serve the first, that is the answer. */
  #range(input: unknown): Answer | undefined {
    const { from, count } = rangeInput.parse(input);
    const first = this.#told(from);
    if (first === undefined || 'kind' in first) return first;
    const blocks = [toBase64(first.raw)];
    for (const hash of this.chain?.from(first.header.hash, count).slice(1) ?? []) {
      const next = this.blocks.get(hash);
      if (next === undefined || 'kind' in next) break;
      blocks.push(toBase64(next.raw));
    }
    return value({ blocks });
  }

  #block(input: unknown): Answer | undefined {
    const { block } = ofBlock.parse(input);
    const told = this.#told(block);
    return told === undefined || 'kind' in told ? told : value({ hash: block, raw: toBase64(told.raw) });
  }

  /** Nodes ask each other for blocks by their hashes alone. */
  #told(bid: string | number): Block | Answer | undefined {
    for (const [hash, told] of this.blocks) if (hash === bid) return told;
    return undefined;
  }

  #transactions(input: unknown): Answer | undefined {
    const { wtxids, txids = [] } = rawInput.parse(input);
    const byName = wtxids.flatMap((wtxid) => this.transactions.get(wtxid) ?? []);
    const byTxid = txids.flatMap((txid) => this.parents.get(txid) ?? []);
    const told = [...byName, ...byTxid];
    if (told.length === 0) return undefined;
    if (told.includes('silence')) return SILENCE;
    return value({ transactions: told.flatMap((each) => (typeof each === 'string' ? [] : toBase64(each.raw))) });
  }
}

/** Headers as `block.headers` answers them. */
export function headersAnswer(headers: readonly Header[]): Answer {
  const writer = new ByteWriter();
  for (const header of headers) writer.bytes(encodeHeader(header));
  return value({ headers: toBase64(writer.finish()) });
}
