import type { BlockHash } from '../../shared/model/ids.js';
import type { BlockChange } from '../../shared/rpc/events.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { HeaderRecord } from '../store/layout.js';
import { Bell } from './bell.js';

/** From where to follow, and until when. */
export interface FollowOptions<Cursor> {
  readonly after: Cursor | undefined;
  /** Ends it; a caller without one cannot go away. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Every change of the active chain after a block, in order and once each. Nothing is queued: each step is worked out from
 * where the follower stands and what the chain is now, so a follower that is slow, or comes back after a year, costs no
 * memory, and branches that came and went meanwhile are none of its business. Ends quietly when the signal aborts.
 */
export async function* followBlocks(
  chain: Chainstate,
  { after, signal }: FollowOptions<BlockHash>,
): AsyncGenerator<BlockChange> {
  using bell = new Bell(signal);
  const stop = chain.events.on('settled', bell.ring);
  try {
    await chain.atRest();
    let at = after === undefined ? undefined : onceActive(chain, after);
    if (at === undefined) {
      at = chain.tip;
      yield changeOf('reset', at, at.header.hash);
    }
    while (!signal?.aborted) {
      await chain.atRest();
      const step = nextStep(chain, at);
      if (step === undefined) {
        await bell.next();
        continue;
      }
      at = step.at;
      yield changeOf(step.kind, step.record, at.header.hash);
    }
  } finally {
    stop();
  }
}

/** The record of a block that is on the active chain or was once; `undefined` where nobody can go on from it. */
export function onceActive(chain: Chainstate, hash: BlockHash): HeaderRecord | undefined {
  const record = chain.headers.get(hash);
  return record === undefined || record.fees === null ? undefined : record;
}

interface Step {
  readonly kind: 'connected' | 'disconnected';
  readonly record: HeaderRecord;
  /** Where the follower stands afterwards. */
  readonly at: HeaderRecord;
}

/** The one step that leads from a block towards the tip; `undefined` on the tip. */
function nextStep(chain: Chainstate, at: HeaderRecord): Step | undefined {
  if (at.header.hash === chain.tip.header.hash) return undefined;
  if (!chain.isActive(at)) return { kind: 'disconnected', record: at, at: chain.headers.require(at.header.previous) };
  const above = chain.at(at.header.height + 1);
  return above === undefined ? undefined : { kind: 'connected', record: above, at: above };
}

function changeOf(kind: BlockChange['kind'], { header }: HeaderRecord, cursor: BlockHash): BlockChange {
  const { height, hash, previous } = header;
  return { kind, height, hash, previous, cursor };
}
