import { SIGNATURE_BYTES } from '../../../../shared/crypto/signature.js';
import { sealTransaction, type Transaction } from '../../../../shared/model/transaction.js';
import type { Dice } from '../dice.js';

/** A signature that recovers no key under any engine: r or s is zero or past the order, or the recovery id is none. */
export function junkSignature(dice: Dice): Uint8Array {
  const signature = dice.bytes(SIGNATURE_BYTES);
  const start = dice.pick([0, 32]);
  switch (dice.below(3)) {
    case 0:
      return signature.fill(0, start, start + 32);
    case 1:
      return signature.fill(0xff, start, start + 32);
    default:
      signature[64] = 2 + dice.below(254);
      return signature;
  }
}

/** The same transaction under signatures that are none: its txid, and another wtxid. */
export function underJunk<Body extends Transaction['body']>(
  { body, signatures }: Pick<Transaction<Body>, 'body' | 'signatures'>,
  dice: Dice,
): Transaction<Body> {
  return sealTransaction(
    body,
    signatures.map(() => junkSignature(dice)),
  );
}
