import type { Block } from '../../shared/model/block.js';
import type { BodyFacts } from '../store/layout.js';

/** What is kept of a body beside it. */
export function factsOf(block: Block): BodyFacts {
  const creator = block.transactions[0]?.body.outputs[0]?.address ?? null;
  return { size: block.raw.length, transactions: block.transactions.length, creator };
}
