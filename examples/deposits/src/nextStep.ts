import { type BlockView, type Client, reasonOf } from 'trestle/client';
import type { TakenBlock } from './ledger.js';

/** What leads from a block towards the tip of a node's chain. */
export type Step =
  | { readonly kind: 'connect'; readonly block: BlockView }
  /** The block itself is not part of that chain. */
  | { readonly kind: 'disconnect' };

/** The step into an empty ledger. */
export async function firstStep(client: Client): Promise<Step> {
  return { kind: 'connect', block: await client.block.get.query({ block: 0 }) };
}

/** The next step from the last block that was taken in; `undefined` where there is none to take now. */
export async function nextStep(client: Client, last: TakenBlock): Promise<Step | undefined> {
  const tip = await client.block.last.query();
  if (tip.hash === last.hash) return undefined;
  const known = await findBlock(client, last.hash);
  // Only more work puts a block out of the chain. A node with less is in the middle of changing branches, or has lost its
  // disk and catches up: it is waited for.
  if (!known?.active) return tip.work > last.work ? { kind: 'disconnect' } : undefined;
  const block = await findBlock(client, last.height + 1);
  // Otherwise the chain has moved between two questions. The bell has rung for that.
  return block?.previous === last.hash ? { kind: 'connect', block } : undefined;
}

async function findBlock(client: Client, block: string | number): Promise<BlockView | undefined> {
  try {
    return await client.block.get.query({ block });
  } catch (error) {
    if (reasonOf(error)?.code === 'not-found') return undefined;
    throw error;
  }
}
