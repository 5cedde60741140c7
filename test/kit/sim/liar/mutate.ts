import { type Block, sealBlock } from '../../../../shared/model/block.js';
import { sealTransaction, type Transaction } from '../../../../shared/model/transaction.js';
import { present } from '../../assertOk.js';
import type { Dice } from '../dice.js';

/** A real header with transactions that it does not commit to: changed, one left out, or the last one doubled (CVE-2012-2459). */
export function mutate({ header, transactions }: Block, dice: Dice): Block {
  const first = present(transactions[0]);
  const changed = sealTransaction({ ...first.body, memo: dice.bytes(8) }, first.signatures);
  const bodies: [readonly Transaction[], ...(readonly Transaction[])[]] = [
    [changed, ...transactions.slice(1)],
    [...transactions, present(transactions.at(-1))],
  ];
  if (transactions.length > 1) bodies.push(transactions.slice(0, -1));
  return sealBlock(header, dice.pick(bodies));
}
