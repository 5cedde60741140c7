import { genesisBlock } from '../../shared/consensus/genesis.js';
import type { NetworkParams } from '../../shared/consensus/params.js';
import { TrestleError } from '../../shared/errors.js';
import { toAmount, ZERO_AMOUNT } from '../../shared/model/amount.js';
import type { Block } from '../../shared/model/block.js';
import { ChainStore } from '../store/chainStore.js';
import type { Kv } from '../store/kv.js';
import { type HeaderRecord, layout, type Meta, SCHEMA_VERSION } from '../store/layout.js';
import { put } from '../store/space.js';
import { connectWrites } from './blockWrites.js';
import { tipWrites } from './headerTree.js';

/** A store that holds this network's chain, at least its genesis. */
export interface OpenedChain {
  readonly store: ChainStore;
  readonly meta: Meta;
  readonly genesis: Block;
}

/** Opens a chain, starting it with genesis where the store is new. Refuses another network's or another format. */
export async function openChain(kv: Kv, params: NetworkParams, directory: string): Promise<OpenedChain> {
  const store = new ChainStore(kv);
  const genesis = genesisBlock(params);
  const meta = store.meta() ?? (await begin(store, params, genesis));
  if (meta.schema !== SCHEMA_VERSION)
    throw new TrestleError({ code: 'store-version', directory, found: meta.schema, expected: SCHEMA_VERSION });
  if (meta.genesis !== genesis.header.hash) {
    const [found, expected] = [`${meta.network} ${meta.genesis}`, `${params.name} ${genesis.header.hash}`];
    throw new TrestleError({ code: 'store-network', directory, found, expected });
  }
  return { store, meta, genesis };
}

async function begin(store: ChainStore, params: NetworkParams, genesis: Block): Promise<Meta> {
  const { header } = genesis;
  const none = { transactions: 0, addresses: 0, supply: ZERO_AMOUNT };
  const { writes, totals } = connectWrites({ store, block: genesis, spent: [], totals: none });
  const record: HeaderRecord = {
    header,
    work: 0n,
    anchorTime: null,
    skip: header.hash,
    invalid: false,
    setAside: false,
    body: { size: genesis.raw.length, transactions: genesis.transactions.length, creator: null },
    fees: toAmount(0n),
  };
  const meta: Meta = { schema: SCHEMA_VERSION, network: params.name, genesis: header.hash, tip: header.hash, totals };
  await store.kv.commit([
    ...writes,
    put(layout.block, header.hash, genesis.raw),
    put(layout.header, header.hash, record),
    ...tipWrites(record, 'put'),
    put(layout.meta, null, meta),
  ]);
  return meta;
}
