import type { Client } from 'trestle/client';
import type { Deposit } from './ledger.js';

/** Finds whom an address belongs to; `undefined`: none of our customers. */
export type CustomerOf = (address: string) => string | undefined;

/** What a block brings our customers. */
export async function readDeposits(client: Client, block: string, customerOf: CustomerOf): Promise<Deposit[]> {
  const deposits: Deposit[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.block.transactions.query({ block, cursor });
    for (const { txid, outputs } of page.items)
      for (const { position, address, value } of outputs) {
        const customer = customerOf(address);
        if (customer !== undefined) deposits.push({ id: `${txid}:${position}`, customer, amount: value });
      }
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return deposits;
}
