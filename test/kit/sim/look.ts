import type { TxId } from '../../../shared/model/ids.js';
import type { Look } from '../network.js';
import type { SimNode } from './simNode.js';
import type { Simulation } from './simulation.js';

/** Looks at a simulation from within: no call is made, and no time goes by. */
export function lookAt(net: Pick<Simulation, 'nodes' | 'invariants'>): Look {
  return {
    views: () =>
      net.nodes.map(({ name, running, tip }) => ({
        name,
        state: running === undefined ? 'down' : 'running',
        height: tip?.header.height,
        tip: tip?.header.hash,
        waiting: running?.mempool.pool.count,
      })),
    confirmations: (txid) => net.nodes.map((node) => confirmationsAt(node, txid)),
    faults: () =>
      net.nodes.map((node) => {
        try {
          net.invariants.lookCloselyAt(node);
          return undefined;
        } catch (error) {
          return String(error instanceof Error ? error.message : error);
        }
      }),
  };
}

function confirmationsAt({ running }: SimNode, txid: TxId): number | undefined {
  if (running === undefined) return undefined;
  const place = running.chain.store.place(txid);
  if (place !== undefined) return running.chain.tip.header.height - place.height + 1;
  return running.mempool.pool.get(txid) === undefined ? undefined : 0;
}
