import type { SyncView } from '../../shared/rpc/infoSchemas.js';
import { duration, grouped } from './figures.js';

/** From how many blocks on a node counts as far behind. */
const FAR_BEHIND = 144;
/** How often the line is printed. */
const EVERY_MS = 2_000;

/** A node that may be far behind. */
export interface SyncingNode {
  readonly sync: {
    view(): SyncView;
    readonly progress: { readonly events: { on(name: 'changed', listener: () => void): () => void } };
  };
}

/** Prints how far a node has come, a line every other second while it is far behind, and one when it no longer is. */
export function showSync({ sync }: SyncingNode, print: (line: string) => void): () => void {
  let isBehind = false;
  let printedAt = 0;
  return sync.progress.events.on('changed', () => {
    const view = sync.view();
    const { target, height } = view;
    if (target !== null && target - height >= FAR_BEHIND) {
      isBehind = true;
      if (performance.now() - printedAt < EVERY_MS) return;
      printedAt = performance.now();
      print(syncLine(view));
    } else if (isBehind && view.phase !== 'blocks') {
      isBehind = false;
      print(`synchronized up to block ${grouped(height)}`);
    }
  });
}

/** How far a node has come, in a line. */
export function syncLine({ height, target, transactionsPerSecond, remainingMs, peers }: SyncView): string {
  const goal = target ?? height;
  const left = remainingMs === null ? '' : `, ${duration(remainingMs)} left`;
  return [
    `synchronizing: block ${grouped(height)} of ${grouped(goal)} (${Math.floor((100 * height) / Math.max(goal, 1))} %)`,
    `${grouped(Math.round(transactionsPerSecond))} transactions a second${left}`,
    `${peers.length} ${peers.length === 1 ? 'peer' : 'peers'} in use`,
  ].join(', ');
}
