import assert from 'node:assert/strict';
import type { Chainstate } from '../../server/chain/chainstate.js';
import { present } from '../kit/assertOk.js';
import { differenceFrom, expectedRows } from '../kit/model/compare.js';
import { addressesOf, replay, supplyOf } from '../kit/model/ledger.js';
import { type Block, decodeBlock } from '../kit/model/model.js';

/** Whether everything the store keeps beside the blocks is what the blocks of the active chain make of it. */
export function assertStoreEqualsReplay({ store, tip, totals }: Chainstate): void {
  const blocks: Block[] = [];
  for (let height = 0; height <= tip.header.height; height++)
    blocks.push(present(decodeBlock(present(store.rawBlock(present(store.hashAt(height)))))));
  const ledger = replay(blocks);
  assert.equal(differenceFrom(store, expectedRows(blocks, ledger)), undefined);
  const { transactions } = ledger;
  assert.deepEqual(totals, { transactions, addresses: addressesOf(ledger).length, supply: supplyOf(ledger) });
}
