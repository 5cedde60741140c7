import type { SyncView } from '../../shared/rpc/infoSchemas.js';
import type { Clock } from '../ports.js';
import { Bell } from './bell.js';

/** The least time between two events of one phase. */
export const SYNC_EVENT_MS = 1_000;

/** What is looked at. */
export interface FollowedSync {
  view(): SyncView;
  readonly progress: { readonly events: { on(name: 'changed', listener: () => void): () => void } };
}

/** Where to follow it. */
export interface FollowSyncOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  /** Ends it; a caller without one cannot go away. */
  readonly signal: AbortSignal | undefined;
}

/**
 * How synchronization comes on: as it is now, then whenever a phase begins or ends, and once a second in between where
 * something has moved. Nothing is queued: a follower that is slow misses what lies between. Ends quietly when the signal
 * aborts.
 */
export async function* followSync(sync: FollowedSync, { clock, signal }: FollowSyncOptions): AsyncGenerator<SyncView> {
  using bell = new Bell(signal);
  let hasMoved = true;
  const stop = sync.progress.events.on('changed', () => {
    hasMoved = true;
    bell.ring();
  });
  try {
    let phase: SyncView['phase'] | undefined;
    let toldAt = Number.NEGATIVE_INFINITY;
    while (!signal?.aborted) {
      const waitMs = toldAt + SYNC_EVENT_MS - clock.monotonic();
      const view = sync.view();
      if (view.phase !== phase || (hasMoved && waitMs <= 0)) {
        phase = view.phase;
        toldAt = clock.monotonic();
        hasMoved = false;
        yield view;
        continue;
      }
      const cancel = hasMoved ? clock.after(waitMs, bell.ring) : undefined;
      await bell.next();
      cancel?.();
    }
  } finally {
    stop();
  }
}
