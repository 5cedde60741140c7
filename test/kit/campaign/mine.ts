import { mineBlocks } from '../actions/mineBlocks.js';
import type { SimNode } from '../sim/simNode.js';
import type { Stage } from './stage.js';

/** Has a node mine blocks, as far as it does, for its own wallet or for somebody else. */
export async function mine(
  stage: Stage,
  node: SimNode,
  { count, address }: { readonly count: number; readonly address?: string },
): Promise<void> {
  // By the client alone: where the node is down, the call is to find that out.
  const work = mineBlocks(node.client, address ?? stage.net.wallet(node.index).address, count);
  const mined = await stage.attempt(node, work);
  stage.count('blocksMined', mined?.length ?? 0);
}
