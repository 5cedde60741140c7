import { ByteWriter } from '../bytes/writer.js';
import { hashSighash } from '../crypto/hash.js';
import { type RecoveryEngine, recoverOwner } from '../crypto/signature.js';
import { requireWorking } from '../crypto/workingEngine.js';
import { type Address, addressBytes } from '../model/address.js';
import { type Amount, toAmount } from '../model/amount.js';
import { type BlockHash, idBytes, type TxId } from '../model/ids.js';
import { outPointKey } from '../model/outpoint.js';
import { outputValue, type Transaction, type TransferBody } from '../model/transaction.js';
import { accept, refuse, type Verdict } from '../verdict.js';
import { type Coin, type CoinView, spendableAt } from './coins.js';
import type { NetworkParams } from './params.js';
import type { TxReject } from './reject.js';

/** What inputs are judged against. */
export interface InputContext {
  readonly params: NetworkParams;
  readonly genesis: BlockHash;
  /** Height of the block the transaction stands in; for the mempool, the next block's. */
  readonly height: number;
}

/** A transaction whose coins are there and whose sums fit: what is left to do is to check its signatures. */
export interface CheckedInputs {
  /** The spent coins, one for each input in order. */
  readonly spent: readonly Coin[];
  /** Inputs less outputs. */
  readonly fee: Amount;
  /** What its signatures are held against: a hash that nobody needs where they passed before. */
  readonly signatures: () => SignatureCheck;
}

/** The signatures of one transaction and who must have made them. Sent to workers as it is, so it holds bytes and text. */
export interface SignatureCheck {
  readonly digest: Uint8Array;
  readonly signatures: readonly Uint8Array[];
  /** One for each signature. */
  readonly owners: readonly Address[];
}

/** The rules that need the coins: they exist, are ripe, are worth enough, and there is one signature for each owner. */
export function checkInputs(
  transaction: Transaction<TransferBody>,
  view: CoinView,
  context: InputContext,
): Verdict<CheckedInputs, TxReject> {
  const { params, height } = context;
  const spent: Coin[] = [];
  let inputs = 0n;
  for (const outpoint of transaction.body.inputs) {
    const coin = view.get(outpoint);
    if (coin === undefined) return refuse({ code: 'tx-input-missing', outpoint: outPointKey(outpoint) });
    if (coin.coinbase && height - coin.height < params.coinbaseMaturity) {
      return refuse({ code: 'tx-immature', outpoint: outPointKey(outpoint), spendableAt: spendableAt(coin, params) });
    }
    spent.push(coin);
    inputs += coin.value;
  }
  const outputs = outputValue(transaction);
  if (outputs > inputs) return refuse({ code: 'tx-overspend', inputs, outputs });
  const owners = distinctOwners(spent);
  const { signatures } = transaction;
  if (signatures.length !== owners.length)
    return refuse({ code: 'tx-signature-count', signatures: signatures.length, expected: `${owners.length}` });
  const check = (): SignatureCheck => signaturesOf(transaction, spent, context.genesis);
  return accept({ spent, fee: toAmount(inputs - outputs), signatures: check });
}

/** The signatures of a transaction that spends these coins, and who must have made them. */
export function signaturesOf(
  { txid, signatures }: Transaction<TransferBody>,
  spent: readonly Coin[],
  genesis: BlockHash,
): SignatureCheck {
  return { digest: sighash(genesis, txid, spent), signatures, owners: distinctOwners(spent) };
}

/**
 * What each owner signs. It covers the network, the transaction with every output, and address and value of every coin
 * it spends: a signature fits no other network, no other payment and no other coin (BIP 143 and 341 for the values).
 */
export function sighash(
  genesis: BlockHash,
  txid: TxId,
  spent: readonly { readonly address: Address; readonly value: Amount }[],
): Uint8Array {
  const coins = new ByteWriter(spent.length * 28);
  for (const { address, value } of spent) coins.bytes(addressBytes(address)).u64(value);
  return hashSighash(idBytes(genesis), idBytes(txid), coins.finish());
}

/** Who has to sign: each owner once, in the order in which owners first appear among the inputs. */
export function distinctOwners(spent: readonly { readonly address: Address }[]): Address[] {
  return [...new Set(spent.map(({ address }) => address))];
}

/** Checks the signatures of one transaction with one engine. Throws where the engine is broken. */
export function checkSignatures(engine: RecoveryEngine, check: SignatureCheck): Verdict<void, TxReject> {
  const { digest, signatures, owners } = check;
  for (const [signature, bytes] of signatures.entries()) {
    const owner = owners[signature];
    const signer = recoverOwner(engine, digest, bytes);
    if (signer !== undefined && signer === owner) continue;
    requireWorking(engine);
    if (signer === undefined || owner === undefined) return refuse({ code: 'tx-signature-invalid', signature });
    return refuse({ code: 'tx-signature-owner', signature, owner, signer });
  }
  return accept(undefined);
}
