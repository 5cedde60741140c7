import { join, little, toHex, varint } from '../kit/model/bytes.js';
import { bitsAfter } from '../kit/model/difficulty.js';
import { doubleSha } from '../kit/model/hashes.js';
import { medianOf, meetsTarget } from '../kit/model/headerRules.js';
import { type Coin, findCoin, type Ledger } from '../kit/model/ledger.js';
import {
  decodeHeader,
  decodeTransaction,
  encodeHeader,
  encodeTransaction,
  HEADER_SIZE,
  type Header,
  type HeaderFields,
  rootOf,
  sighashOf,
  type TransactionFields,
  txidOf,
} from '../kit/model/model.js';
import { type Network, versionAt } from '../kit/model/network.js';
import { type Key, keyOf, sign } from '../kit/model/signatures.js';
import { ownersOf } from '../kit/model/transactionRules.js';

/** The keys that the generator spends with. */
export const KEYS: readonly Key[] = [1, 2, 3, 4, 5, 6].map(keyOf);
/** Nonces to try for one block. */
const MOST_NONCES = 4_000;
/** Signs for strangers, whose keys nobody has. */
const NO_SECRET = new Uint8Array(32).fill(1);
const secretOf = new Map(KEYS.map(({ address, secret }) => [address, secret]));

/** A transaction that is being made. Without `signatures` of its own it is signed as it should be, at the end. */
export type TransactionDraft = {
  -readonly [Field in keyof Omit<TransactionFields, 'signatures'>]: TransactionFields[Field];
} & {
  signatures?: readonly Uint8Array[];
  /** Changes the signatures after they were made. */
  spoil?: (signatures: readonly Uint8Array[], sighash: Uint8Array) => readonly Uint8Array[];
  /** The network it is signed for, where that is not this one. */
  genesis?: string;
};

/** A block that is being made: faults change it before its root, after it, or in its header. */
export interface BlockDraft {
  transactions: TransactionDraft[];
  header: { -readonly [Field in keyof HeaderFields]?: HeaderFields[Field] };
  /** Looks for a hash that misses the target. */
  lazy: boolean;
  /** Changes the transactions when the root is made already. */
  swap: ((transactions: readonly Uint8Array[]) => readonly Uint8Array[]) | undefined;
}

/** A block of the generator's tree, right or wrong. */
export interface Sapling {
  readonly parent: Sapling | undefined;
  /** How many blocks are below it: what its header says may be wrong. */
  readonly height: number;
  readonly header: Header;
  readonly bytes: Uint8Array;
  /** What its transactions make of the ledger below, whether they may or not. */
  readonly ledger: Ledger;
  /** Work of its branch. */
  readonly work: bigint;
  /** Whether a fault was put in, here or below. */
  readonly faulty: boolean;
}

export function plainDraft(fields: Partial<TransactionDraft>): TransactionDraft {
  const empty = new Uint8Array(0);
  const plain = { version: 1, kind: 'transfer', timestamp: 0n, inputs: [], height: 0, outputs: [] } as const;
  return { ...plain, extra: empty, memo: empty, ...fields };
}

/** The coins that a draft spends, as far as they can be found, and those that its block makes first. */
export function coinsSpent(draft: TransactionDraft, ledger: Ledger, before: readonly TransactionDraft[] = []): Coin[] {
  const made: Coin[] = before.flatMap((other) => {
    const txid = txidOf(other);
    const coinbase = other.kind === 'coinbase';
    return other.outputs.map((output, index) => ({ ...output, txid, index, height: 0, coinbase }));
  });
  return draft.inputs.flatMap((input) => findCoin(ledger, input) ?? findCoin({ ...ledger, coins: made }, input) ?? []);
}

/** The signed bytes of a draft. */
export function finish(draft: TransactionDraft, spent: readonly Coin[], genesis: string): Uint8Array {
  if (draft.kind === 'coinbase') return encodeTransaction({ ...draft, signatures: draft.signatures ?? [] });
  const sighash = sighashOf(draft.genesis ?? genesis, txidOf(draft), spent);
  // Where none of the coins is to be found, somebody signs all the same: another rule is to fail than the count.
  const owners = spent.length === 0 ? KEYS.slice(0, 1).map(({ address }) => address) : ownersOf(spent);
  const signatures = draft.signatures ?? owners.map((owner) => sign(sighash, secretOf.get(owner) ?? NO_SECRET));
  return encodeTransaction({ ...draft, signatures: draft.spoil?.(signatures, sighash) ?? signatures });
}

/** From genesis to a sapling. */
export function branchOf(sapling: Sapling): Sapling[] {
  const branch: Sapling[] = [];
  for (let at: Sapling | undefined = sapling; at !== undefined; at = at.parent) branch.push(at);
  return branch.reverse();
}

/** The header that a draft asks for, mined; `undefined` where that takes too long. */
export function mine(
  draft: BlockDraft,
  { parent, root, network }: { parent: Sapling; root: string; network: Network },
): Header | undefined {
  const branch = branchOf(parent).map(({ header }) => header);
  const height = parent.height + 1;
  const fields = {
    version: versionAt(network, height),
    height,
    previous: parent.header.hash,
    merkleRoot: root,
    timestamp: medianOf(branch) + 1,
    bits: bitsAfter(network, branch),
    ...draft.header,
  };
  // A header with other bits is worth sending whatever its hash.
  const isWanted = (hash: string): boolean =>
    draft.header.bits !== undefined || meetsTarget(hash, fields.bits) !== draft.lazy;
  const bytes = encodeHeader({ nonce: 0n, ...fields });
  for (let nonce = 0; nonce < MOST_NONCES; nonce++) {
    bytes.set(little(nonce, 8), HEADER_SIZE - 8);
    if (isWanted(toHex(doubleSha(bytes)))) return decodeHeader(bytes);
  }
  return undefined;
}

/** The whole bytes of a block whose transactions are these. */
export function blockBytes(header: Header, transactions: readonly Uint8Array[]): Uint8Array {
  return join(encodeHeader(header), varint(transactions.length), ...transactions);
}

/** The root over these transactions; where one does not decode, no root matters any more. */
export function rootOfBytes(transactions: readonly Uint8Array[]): string {
  const decoded = transactions.flatMap((bytes) => decodeTransaction(bytes) ?? []);
  return decoded.length === transactions.length ? rootOf(decoded) : '00'.repeat(32);
}
