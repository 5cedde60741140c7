import type { BlockView } from '../shared/rpc/views.js';
import type { Client } from './createClient.js';
import { reasonOf } from './failure.js';
import { sleep } from './time.js';

/** A block that joined the active chain, or left it because a better branch was found. */
export interface ChainChange {
  readonly kind: 'connected' | 'disconnected';
  readonly block: BlockView;
}

/** How to follow. */
export interface FollowOptions {
  /** The hash of the last block that is known already; the tip of the moment unless said otherwise. */
  readonly after?: string | undefined;
  /** Time between two looks, in milliseconds; 1 s unless said otherwise. */
  readonly pollMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Every change of the active chain, in order and once each: on a change of branches first the blocks that left, newest
 * first, then those that came. Ends when the signal aborts. Throws `not-found` where the node does not know `after`.
 *
 * @example
 * for await (const { kind, block } of followChain(client)) console.log(kind, block.height);
 */
export async function* followChain(client: Client, options: FollowOptions = {}): AsyncGenerator<ChainChange> {
  const { after, pollMs = 1_000, signal } = options;
  let at = await client.block.get.query({ block: after ?? 'last' });
  while (!signal?.aborted) {
    const change = await nextChange(client, at);
    if (change === undefined) {
      await sleep(pollMs, signal);
      continue;
    }
    yield change;
    // A node keeps the blocks that left, so any number of steps back can be taken.
    at = change.kind === 'connected' ? change.block : await client.block.get.query({ block: change.block.previous });
  }
}

/**
 * The one change that leads from a block towards the tip of the moment: the block above it on the active chain, or, when
 * it is not on that chain any more, its own leaving.
 */
async function nextChange(client: Client, at: BlockView): Promise<ChainChange | undefined> {
  const last = await client.block.last.query();
  if (last.hash === at.hash) return undefined;
  const above = last.previous === at.hash ? last : await blockAt(client, at.height + 1);
  if (above?.previous === at.hash) return { kind: 'connected', block: above };
  const now = await client.block.get.query({ block: at.hash });
  // Still active: the chain moved between the questions, and the next look sees where to.
  return now.active ? undefined : { kind: 'disconnected', block: now };
}

async function blockAt(client: Client, height: number): Promise<BlockView | undefined> {
  try {
    return await client.block.get.query({ block: height });
  } catch (error) {
    if (reasonOf(error)?.code === 'not-found') return undefined;
    throw error;
  }
}
