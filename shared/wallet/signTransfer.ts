import { distinctOwners, sighash } from '../consensus/checkInputs.js';
import type { Coin } from '../consensus/coins.js';
import { signDigest } from '../crypto/secp.js';
import type { Address } from '../model/address.js';
import type { BlockHash } from '../model/ids.js';
import { sealTransaction, type Transaction, type TransferBody, txidOf } from '../model/transaction.js';

/** What a signer needs beside the body. */
export interface SigningContext {
  readonly genesis: BlockHash;
  /** The coins the body spends, one for each input in order. */
  readonly spent: readonly Pick<Coin, 'address' | 'value'>[];
  /** The secret key of an owner. */
  readonly secretKeyOf: (owner: Address) => Uint8Array | undefined;
}

/** Signs a transfer for every owner of its inputs. Throws where a key is missing: the caller chose the coins. */
export function signTransfer(body: TransferBody, context: SigningContext): Transaction<TransferBody> {
  const digest = sighash(context.genesis, txidOf(body), context.spent);
  const signatures = distinctOwners(context.spent).map((owner) => {
    const secretKey = context.secretKeyOf(owner);
    if (secretKey === undefined) throw new RangeError(`no key for ${owner}`);
    return signDigest(digest, secretKey);
  });
  return sealTransaction(body, signatures);
}
