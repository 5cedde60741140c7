import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from '../../client/createClient.js';
import { MAX_QUEUED } from '../../server/chain/chainstate.js';
import { ChainStore } from '../../server/store/chainStore.js';
import { layout, SCHEMA_VERSION } from '../../server/store/layout.js';
import { memoryKv } from '../../server/store/memoryKv.js';
import { put } from '../../server/store/space.js';
import { asStoreFailure } from '../../server/store/storeFailure.js';
import { loadEngine } from '../../server/system/engines.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { parseId, type TxId } from '../../shared/model/ids.js';
import type { NodeFailure, Reason } from '../../shared/reasons.js';
import { present } from '../kit/assertOk.js';
import { silentLog } from '../kit/sim/silentLog.js';
import { TestChain } from '../kit/testChain.js';
import { failureFrom } from '../support/failureFrom.js';
import { memoryChain } from '../support/memoryChain.js';
import { testNode } from '../support/testNode.js';

function diskError(code: string): Reason {
  return present(asStoreFailure(Object.assign(new Error('disk'), { code }), '/data')).reason;
}

/** For each failure of a node, a request or a start that ends in it. */
export const nodeCases: Record<NodeFailure['code'], () => Promise<Reason>> = {
  'bad-request': async () => {
    await using node = await testNode();
    return await failureFrom(node.client.block.list.query({ limit: 1_000_000 }));
  },
  'not-found': async () => {
    await using node = await testNode();
    return await failureFrom(node.client.transaction.get.query({ txid: present(parseId<TxId>('00'.repeat(32))) }));
  },
  unauthorized: async () => {
    await using node = await testNode();
    return await failureFrom(createClient({ url: node.url }).node.stop.mutate());
  },
  'too-large': async () => {
    await using node = await testNode();
    return await failureFrom(node.client.transaction.submit.mutate({ transaction: 'A'.repeat(400_000) }));
  },
  timeout: async () => {
    // A server that takes the request and never answers.
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      return await failureFrom(createClient({ url: `http://127.0.0.1:${port}`, timeoutMs: 50 }).info.chain.query());
    } finally {
      server.closeAllConnections();
      server.close();
    }
  },
  busy: async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const block = source.extend(source.genesis);
    const waiting = Array.from({ length: MAX_QUEUED + 1 }, () => chain.submitBlock(block));
    const reason = await failureFrom(chain.submitBlock(block));
    await Promise.all(waiting);
    return reason;
  },
  'address-in-use': async () => {
    await using node = await testNode();
    return await failureFrom(testNode({ config: { port: Number(new URL(node.url).port) } }));
  },
  // An address for documentation, which is never this machine's.
  'address-unusable': () => failureFrom(testNode({ config: { host: '192.0.2.1' } })),
  'engine-unavailable': () => {
    const none = (): Promise<never> => Promise.reject(new Error('no binary'));
    return failureFrom(loadEngine('auto', { log: silentLog, loaders: { native: none, wasm: none, noble: none } }));
  },
  'store-locked': async () => {
    await using node = await testNode();
    return await failureFrom(testNode({ config: { dataDir: node.dataDir } }));
  },
  'store-corrupt': async () => {
    const kv = memoryKv();
    await memoryChain({ kv });
    const meta = put(layout.meta, null, present(new ChainStore(kv).meta()));
    if (meta.kind !== 'put') throw new Error('no write');
    await kv.commit([{ ...meta, value: meta.value.subarray(0, 20) }]);
    return await failureFrom(memoryChain({ kv }));
  },
  'store-full': async () => diskError('ENOSPC'),
  'store-readonly': async () => diskError('EROFS'),
  'store-network': async () => {
    const kv = memoryKv();
    await memoryChain({ kv });
    return await failureFrom(memoryChain({ kv, params: NETWORKS.test }));
  },
  'store-version': async () => {
    const kv = memoryKv();
    await memoryChain({ kv });
    const meta = present(new ChainStore(kv).meta());
    await kv.commit([put(layout.meta, null, { ...meta, schema: SCHEMA_VERSION + 1 })]);
    return await failureFrom(memoryChain({ kv }));
  },
};
