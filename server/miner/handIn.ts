import { reasonOf, whyOf } from '../../client/failure.js';
import { sleep } from '../../client/time.js';
import type { Clock } from '../ports.js';
import type { Work } from './work.js';

/** How long a block is offered to a node that does not take it for the moment, and the time between two tries. */
const OFFER_FOR_MS = 60_000;
const OFFER_EVERY_MS = 500;

/** Failures that pass: the block is as good as before, and so is its template, unless the node was started anew. */
const PASSING: ReadonlySet<string> = new Set([
  'peer-unreachable',
  'timeout',
  'busy',
  'peer-quota',
  'peer-banned',
  'store-full',
  'store-readonly',
]);

/** A nonce that solves a template, with the timestamp it was found for. */
export interface Solution {
  readonly work: Work;
  readonly timestamp: number;
  readonly nonce: bigint;
}

/** What handing in takes. */
export interface HandInParts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told once, where the node does not take the block for the moment. */
  readonly held: (error: unknown) => void;
}

/** What became of a block. */
export type BlockFate =
  | { readonly kind: 'accepted' }
  /** It came too late: another block has its place, and it stands on a branch with less work, or as much. */
  | { readonly kind: 'side' }
  | { readonly kind: 'refused'; readonly error: unknown; readonly why: string }
  /** Nobody can put it together: only the node that made the template has its transactions. */
  | { readonly kind: 'lost'; readonly why: string };

/**
 * Hands a solution in to the node that made its template, again and again while that is not to be reached. Only that node
 * has the transactions: where it has forgotten the template, by a restart, the block is lost.
 */
export async function handIn(
  { work, timestamp, nonce }: Solution,
  { clock, signal, held }: HandInParts,
): Promise<BlockFate> {
  const { node, template } = work;
  const until = clock.monotonic() + OFFER_FOR_MS;
  for (let tries = 1; ; tries++) {
    try {
      const { status } = await node.client.block.submit.mutate({ template: template.id, timestamp, nonce });
      // `known`: an earlier try whose answer did not come back.
      return { kind: status === 'side' ? 'side' : 'accepted' };
    } catch (error) {
      const reason = reasonOf(error);
      if (reason?.code === 'not-found')
        return { kind: 'lost', why: 'the node has forgotten its template: it was started anew, or had too many' };
      if (reason !== null && !PASSING.has(reason.code)) return { kind: 'refused', error, why: reason.code };
      if (signal.aborted || clock.monotonic() >= until) return { kind: 'lost', why: whyOf(error) };
      if (tries === 1) held(error);
      const pauseMs = reason?.code === 'peer-quota' ? reason.retryMs : OFFER_EVERY_MS;
      await sleep(Math.min(pauseMs, OFFER_FOR_MS), signal, clock.after);
    }
  }
}
