import { createHash } from 'node:crypto';
import { join } from 'node:path';
import superjson from 'superjson';
import type { Client } from '../../client/createClient.js';
import { layout } from '../../server/store/layout.js';
import { lmdbKv } from '../../server/store/lmdbKv.js';
import { poolLayout } from '../../server/store/poolLayout.js';

/**
 * Digests of what bad input must not change: every row of the store that says who has what, and what the node answers.
 * Headers and bodies off the active chain are left out, for a node notes which blocks were bad; so is the list of peers.
 */
export async function stateOf(client: Client, dataDir: string): Promise<string> {
  const { chain, undo, coin, txIndex, addressCoin, addressHistory, balance, rich, meta } = layout;
  const spaces = [chain, undo, coin, txIndex, addressCoin, addressHistory, balance, rich, meta];
  const stored = await digestOfStore(
    join(dataDir, 'chain'),
    spaces.map(({ prefix }) => prefix),
  );
  const saved = await digestOfStore(join(dataDir, 'pool'), [poolLayout.pool.prefix]);
  const shown = await Promise.all([
    client.info.chain.query(),
    // What came and went in a moving window is no state.
    client.info.mempool.query().then(({ flow: _, ...mempool }) => mempool),
    client.transaction.ids.query({}),
    client.block.list.query({ limit: 100 }),
    client.info.richList.query({ limit: 100 }),
  ]);
  return JSON.stringify({ stored, saved, shown: digest(superjson.stringify(shown)) });
}

/** The node has the store open, too: LMDB lets other processes read beside it. */
async function digestOfStore(directory: string, prefixes: readonly number[]): Promise<string> {
  const kv = lmdbKv({ directory, synced: true });
  const hash = createHash('sha256');
  for (const prefix of prefixes)
    for (const [key, value] of kv.range({ gte: Uint8Array.of(prefix), lt: Uint8Array.of(prefix + 1) }))
      hash.update(`${key.length} ${value.length} `).update(key).update(value);
  await kv.close();
  return hash.digest('hex');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
