import type { SimNode } from '../sim/simNode.js';
import type { Stage } from './stage.js';

/** Has a node mine blocks, as far as it does. */
export async function mine(stage: Stage, node: SimNode, blocks: number): Promise<void> {
  const mined = await stage.attempt(node, stage.net.mine(node.index, blocks));
  stage.count('blocksMined', mined?.length ?? 0);
}
