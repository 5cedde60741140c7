import type { Chunk } from './linearize.js';
import type { Pool, PoolEntry } from './pool.js';

/**
 * Which chunks to give up so that a pool with newcomers in it fits its limit: those that would be mined last. `undefined`
 * where the newcomers are among the last themselves, so that nobody is pushed out by what does not get in. The last chunk
 * of its cluster has no child outside itself, so that what goes leaves nothing behind that cannot do without it.
 */
export function chooseVictims(
  pool: Pool,
  newcomers: ReadonlySet<PoolEntry>,
  limit: number,
): readonly Chunk[] | undefined {
  const victims: Chunk[] = [];
  const chunks = pool.chunks();
  let { usage } = pool;
  for (let i = chunks.length - 1; usage > limit; i--) {
    const worst = chunks[i];
    if (worst === undefined || worst.entries.some((entry) => newcomers.has(entry))) return undefined;
    victims.push(worst);
    for (const entry of worst.entries) usage -= entry.usage;
  }
  return victims;
}
