/**
 * What must not compile. There is nothing to run here: the build fails where one of the lines below the marks is no
 * error, and where anything else is one.
 */
import type { Client } from '../../client/createClient.js';
import type { Address, ChecksumAddress } from '../../shared/model/address.js';
import type { Amount } from '../../shared/model/amount.js';
import type { BlockHash, TxId, Wtxid } from '../../shared/model/ids.js';
import type { Reason } from '../../shared/reasons.js';
import type { Context, PeerContext } from '../../shared/rpc/nodeApi.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => {};

export async function inputs(client: Client): Promise<void> {
  await client.block.get.query({ block: 5 });
  await client.block.get.query({ block: 'last' });
  // @ts-expect-error a field that nobody knows
  await client.block.get.query({ block: 5, extra: 1 });
  // @ts-expect-error a missing field
  await client.block.get.query({});
  // @ts-expect-error a boolean is no block
  await client.block.get.query({ block: true });
  // @ts-expect-error an input where none belongs
  await client.info.chain.query({ a: 1 });
  // @ts-expect-error a query is not mutated
  await client.info.chain.mutate();
  // @ts-expect-error a mutation is not queried
  await client.transaction.submit.query({ transaction: '' });
  // @ts-expect-error no such procedure
  await client.block.destroy.mutate({});
  // @ts-expect-error no such router
  await client.utxo.get.query({});
  // @ts-expect-error a solved template lacks its nonce
  await client.block.submit.mutate({ template: '', timestamp: 1 });
  // @ts-expect-error amounts are bigints, and so is a nonce
  await client.block.submit.mutate({ template: '', timestamp: 1, nonce: 1 });
}

export async function outputs(client: Client): Promise<void> {
  const chain = await client.info.chain.query();
  holds<Equal<typeof chain.supply, Amount>>();
  holds<Equal<typeof chain.tip, BlockHash>>();
  holds<Equal<(typeof chain.richList)[number]['address'], ChecksumAddress>>();
  const block = await client.block.last.query();
  holds<Equal<typeof block.fees, Amount | null>>();
  // @ts-expect-error fees may be unknown
  block.fees + 1n;
  // @ts-expect-error an amount is no number
  const wrong: number = chain.supply;
  // @ts-expect-error no such field
  chain.balance;
  const page = await client.transaction.list.query({});
  // @ts-expect-error there may be no first item
  page.items[0].txid;
  void wrong;
}

export function brands(txid: TxId, wtxid: Wtxid, address: Address): void {
  const take = (_id: TxId): void => {};
  take(txid);
  // @ts-expect-error a wtxid is no txid
  take(wtxid);
  // @ts-expect-error nor is any text
  take('00');
  // @ts-expect-error the form inside is not the form that is shown
  const shown: ChecksumAddress = address;
  void shown;
}

/** Every reason is told apart by its code, and the compiler knows when one is forgotten. */
export function reasons(reason: Reason): string {
  switch (reason.code) {
    case 'tx-immature':
      return `spendable at ${reason.spendableAt}`;
    case 'block-tx':
      return reason.reject.code;
    case 'tx-overspend':
      // @ts-expect-error another reason's figure
      return reason.spendableAt;
    // @ts-expect-error no such code
    case 'tx-unknown':
      return '';
    default:
      return reason.code;
  }
}

/** The full node's context fits wherever the directory's is asked for: its routers nest in one another. */
holds<Context extends PeerContext ? true : false>();
