import { expect, test } from 'vitest';
import { openChain } from '../../../server/chain/openChain.js';
import type { Kv } from '../../../server/store/kv.js';
import { layout, SCHEMA_VERSION } from '../../../server/store/layout.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { put, read } from '../../../server/store/space.js';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import type { Reason } from '../../../shared/reasons.js';
import { failureFrom } from '../../support/failureFrom.js';

const params = NETWORKS.dev;
const genesis = genesisBlock(params);
const { hash } = genesis.header;

/** A store that counts its commits. */
function countingKv(): Kv & { commits: number } {
  const inner = memoryKv();
  return {
    ...inner,
    commits: 0,
    commit(batch) {
      this.commits += 1;
      return inner.commit(batch);
    },
  };
}

test('a new store gets genesis in one commit; opened again, nothing is written', async () => {
  const kv = countingKv();
  const opened = await openChain(kv, params, 'here');
  expect(kv.commits).toBe(1);
  expect(opened.genesis).toEqual(genesis);
  expect(opened.meta).toEqual({
    schema: SCHEMA_VERSION,
    network: 'dev',
    genesis: hash,
    tip: hash,
    totals: { transactions: 1, addresses: 0, supply: 0n },
  });
  expect(read(kv, layout.header, hash)).toEqual({
    header: genesis.header,
    work: 0n,
    anchorTime: null,
    skip: hash,
    invalid: false,
    setAside: false,
    body: { size: genesis.raw.length, transactions: 1, creator: null },
    fees: 0n,
  });
  expect([...opened.store.tips()]).toEqual([hash]);
  expect(opened.store.hashAt(0)).toBe(hash);
  expect(opened.store.block(hash)).toEqual(genesis);
  expect(opened.store.undo(hash)).toEqual([]);
  const again = await openChain(kv, params, 'here');
  expect(kv.commits).toBe(1);
  expect([again.meta, again.genesis]).toEqual([opened.meta, opened.genesis]);
});

test('a store of another version, or of another network, is refused by name and left as it is', async () => {
  const kv = countingKv();
  const { meta } = await openChain(kv, params, 'here');
  const foreign = genesisBlock(NETWORKS.test).header.hash;
  const refusal = async (change: Partial<typeof meta>, as = params): Promise<Reason> => {
    await kv.commit([put(layout.meta, null, { ...meta, ...change })]);
    const before = kv.commits;
    const reason = await failureFrom(openChain(kv, as, 'here'));
    expect(kv.commits).toBe(before);
    return reason;
  };
  expect(await refusal({ schema: 99 })).toEqual({
    code: 'store-version',
    directory: 'here',
    found: 99,
    expected: SCHEMA_VERSION,
  });
  expect(await refusal({}, NETWORKS.test)).toEqual({
    code: 'store-network',
    directory: 'here',
    found: `dev ${hash}`,
    expected: `test ${foreign}`,
  });
  // A network is its genesis, whatever it is called.
  await kv.commit([put(layout.meta, null, { ...meta, network: 'other' })]);
  expect((await openChain(kv, params, 'here')).meta.network).toBe('other');
});
