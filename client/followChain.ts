import { TrestleError } from '../shared/errors.js';
import type { BlockHash } from '../shared/model/ids.js';
import type { BlockView } from '../shared/rpc/views.js';
import type { Client } from './createClient.js';

/** A block that joined the active chain, or left it because a better branch was found. */
export interface ChainChange {
  readonly kind: 'connected' | 'disconnected';
  readonly block: BlockView;
}

/** How to follow. */
export interface FollowOptions {
  /** The last block that is known already; the tip of the moment unless said otherwise. */
  readonly after?: BlockHash | undefined;
  /** Time between two looks; 1 s unless said otherwise. */
  readonly pollMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How many blocks back a change of branches can be told. */
const REMEMBERED = 1_000;

/**
 * Every change of the active chain, in order and once each: on a change of branches first the blocks that left, newest
 * first, then those that came. Ends when the signal aborts. Throws `not-found` where the branches part further back than
 * is remembered: start afresh then.
 *
 * @example
 * for await (const { kind, block } of followChain(client)) console.log(kind, block.height);
 */
export async function* followChain(client: Client, options: FollowOptions = {}): AsyncGenerator<ChainChange> {
  const { after, pollMs = 1_000, signal } = options;
  const seen: BlockView[] = [await client.block.get.query({ block: after ?? 'last' })];
  while (!signal?.aborted) {
    const { left, joined } = await step(client, seen);
    for (const block of left) yield { kind: 'disconnected', block };
    for (const block of joined) yield { kind: 'connected', block };
    if (left.length + joined.length === 0) await sleep(pollMs, signal);
  }
}

/** Brings `seen` up to the tip of the moment, and answers what changed. */
async function step(client: Client, seen: BlockView[]): Promise<{ left: BlockView[]; joined: BlockView[] }> {
  const joined: BlockView[] = [];
  let at = await client.block.last.query();
  for (; !isSeen(seen, at); at = await client.block.get.query({ block: at.previous })) {
    const [oldest] = seen;
    if (oldest === undefined || at.height <= oldest.height)
      throw new TrestleError({ code: 'not-found', detail: 'the branches part before all that is remembered' });
    joined.unshift(at);
  }
  const fork = seen.findIndex(({ hash }) => hash === at.hash);
  const left = seen.splice(fork + 1).reverse();
  seen.push(...joined);
  seen.splice(0, Math.max(0, seen.length - REMEMBERED));
  return { left, joined };
}

function isSeen(seen: readonly BlockView[], { height, hash }: BlockView): boolean {
  const [oldest] = seen;
  return oldest !== undefined && seen[height - oldest.height]?.hash === hash;
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(finish, ms);
    signal?.addEventListener('abort', finish);
    function finish(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    }
  });
}
