import { toBase64 } from '../../../../shared/bytes/base64.js';
import { type CompactBlock, encodeCompactBlock } from '../../../../shared/model/compactBlock.js';
import { encodeHeader, type HeaderFields } from '../../../../shared/model/header.js';
import type { Wtxid } from '../../../../shared/model/ids.js';
import type { Transaction } from '../../../../shared/model/transaction.js';
import type { SimNode } from '../simNode.js';
import type { Liar } from './liar.js';

/** Announces a block by its header; answers whether the node has heard it. */
export async function announceBlock(liar: Liar, victim: SimNode, header: HeaderFields): Promise<boolean> {
  const encoded = toBase64(encodeHeader(header));
  return (await liar.tell(victim, (client) => client.block.announce.mutate({ header: encoded }))).ok;
}

/** Announces a block in its short form; answers whether the node has heard it. */
export async function announceCompact(liar: Liar, victim: SimNode, block: CompactBlock): Promise<boolean> {
  const header = toBase64(encodeHeader(block.header));
  const compact = toBase64(encodeCompactBlock(block));
  return (await liar.tell(victim, (client) => client.block.announce.mutate({ header, compact }))).ok;
}

/** Announces transactions by their names; answers whether the node has heard it. */
export async function announceTransactions(liar: Liar, victim: SimNode, wtxids: readonly Wtxid[]): Promise<boolean> {
  return (await liar.tell(victim, (client) => client.transaction.announce.mutate({ wtxids: [...wtxids] }))).ok;
}

/** Hands a transaction in as anybody may; answers whether the node has taken it. */
export async function submit(liar: Liar, node: SimNode, { raw }: Transaction): Promise<boolean> {
  const transaction = toBase64(raw);
  return (await liar.tell(node, (client) => client.transaction.submit.mutate({ transaction }))).ok;
}
