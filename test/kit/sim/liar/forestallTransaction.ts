import type { Transaction } from '../../../../shared/model/transaction.js';
import type { Dice } from '../dice.js';
import type { SimNode } from '../simNode.js';
import { announceTransactions, submit } from './announce.js';
import { elsewhere } from './elsewhere.js';
import { Forge } from './forge.js';
import { underJunk } from './junkSignature.js';
import type { Liar } from './liar.js';
import type { Lie, Telling } from './lie.js';

/** A real transaction that has not reached its victims. */
export interface ForestalledTransaction {
  readonly transaction: Transaction;
  readonly victims: readonly SimNode[];
  readonly dice: Dice;
}

/**
 * Hands victims a transaction under signatures that are none, before the real form gets there: the same txid, another
 * wtxid. Submitted and announced, so that it comes in by both ways. Answers whether a victim has heard it; the real form
 * is for the caller to submit.
 */
export async function forestallTransaction(
  liar: Liar,
  { transaction, victims, dice }: ForestalledTransaction,
): Promise<boolean> {
  const junk = underJunk(transaction, dice);
  liar.story.transactions.set(junk.wtxid, junk);
  let isHeard = false;
  for (const victim of victims) {
    if (!(await liar.meet(victim))) continue;
    await submit(liar, victim, junk);
    if (await announceTransactions(liar, victim, [junk.wtxid])) isHeard = true;
  }
  return isHeard;
}

/** Announces a real transaction to victims before anybody else does, and does not hand it out, or something else instead. */
export async function withholdTransaction(
  liar: Liar,
  {
    transaction,
    victims,
    instead,
  }: Omit<ForestalledTransaction, 'dice'> & { instead: Transaction | 'absent' | 'silence' },
): Promise<boolean> {
  const { wtxid } = transaction;
  liar.story.transactions.set(wtxid, instead);
  let isHeard = false;
  for (const victim of victims)
    if ((await liar.meet(victim)) && (await announceTransactions(liar, victim, [wtxid]))) isHeard = true;
  return isHeard;
}

/** Lies about a transaction that waits elsewhere and that the victim has not heard of; or about one made for this. */
export const FORESTALLED_TRANSACTION_LIES = {
  /** Whoever holds the signatures against the txid never takes the payment. */
  'junk-signatures': forestalled((liar, what) => forestallTransaction(liar, what)),
  'withheld-transaction-silent': forestalled((liar, what) =>
    withholdTransaction(liar, { ...what, instead: 'silence' }),
  ),
  'withheld-transaction-absent': forestalled((liar, what) => withholdTransaction(liar, { ...what, instead: 'absent' })),
  /** Other signatures come instead of the ones asked for. */
  'withheld-transaction-other': forestalled((liar, what) =>
    withholdTransaction(liar, { ...what, instead: underJunk(what.transaction, what.dice) }),
  ),
} satisfies Record<string, Lie>;

function forestalled(tell: (liar: Liar, what: ForestalledTransaction) => Promise<boolean>): Lie {
  return async (liar, telling) => {
    const { victim, dice } = telling;
    const other = await elsewhere(liar, telling);
    if (other === undefined) return false;
    const underWay = waitingElsewhere(telling, other);
    const transaction = underWay ?? payment(liar, telling);
    if (transaction === undefined) return false;
    const isHeard = await tell(liar, { transaction, victims: [victim], dice });
    return underWay === undefined ? (await submit(liar, other, transaction)) && isHeard : isHeard;
  };
}

function waitingElsewhere({ victim, dice }: Telling, other: SimNode): Transaction | undefined {
  const known = victim.running?.mempool.pool;
  const waiting = [...(other.running?.mempool.pool.entries() ?? [])].map(({ transaction }) => transaction);
  return dice.pick(waiting.filter(({ txid }) => known?.get(txid) === undefined));
}

function payment(liar: Liar, telling: Telling): Transaction | undefined {
  const forge = Forge.on(liar, telling);
  const coin = forge?.freeCoin();
  return coin && forge?.pay(coin);
}
