import { TARGET_PEERS } from '../../../server/net/upkeep.js';
import type { SimNode } from './simNode.js';

/** Those of a circle that a node is not in touch with; none where it has as many peers as it seeks. */
export function strangersTo(node: SimNode, circle: readonly SimNode[]): readonly SimNode[] {
  const peers = node.running?.peers;
  if ((peers?.all().length ?? 0) >= TARGET_PEERS) return [];
  // Nobody can call a hidden node, so nobody is in touch with it; it is in touch with them.
  return circle.filter((other) => other !== node && !other.isHidden && peers?.get(other.url) === undefined);
}
