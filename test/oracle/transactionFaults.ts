import { join, MAX_VALUE, toHex } from '../kit/model/bytes.js';
import { encodeTransaction, txidOf } from '../kit/model/model.js';
import { versionAt } from '../kit/model/network.js';
import { ORDER, scalar, sign, signatureOfNobody } from '../kit/model/signatures.js';
import { type BlockDraft, KEYS, plainDraft, type TransactionDraft } from './draft.js';
import { type Site, spendable, transferOf } from './transfers.js';

/** Breaks something in a block that is being made; `false` where this block has nothing to break that way. */
export type Fault = (block: BlockDraft, site: Site) => boolean;

/** A fault of one transfer that stands somewhere in the block; a new one where there is none. */
function inTransfer(change: (draft: TransactionDraft, site: Site) => boolean | undefined): Fault {
  return (block, site) => {
    const transfers = block.transactions.filter(({ kind }) => kind === 'transfer');
    if (transfers.length === 0 || site.dice.chance(0.5)) {
      const fresh = transferOf(site, block.transactions);
      if (fresh === undefined || change(fresh, site) === false) return false;
      block.transactions.push(fresh);
      return true;
    }
    return change(site.dice.pick(transfers), site) !== false;
  };
}

/** A fault of any transaction of the block, the coinbase too. */
function inAny(change: (draft: TransactionDraft, site: Site) => boolean | undefined): Fault {
  return (block, site) => block.transactions.length > 0 && change(site.dice.pick(block.transactions), site) !== false;
}

/** A signature of another form in place of one of them. */
function inSignature(forge: (signature: Uint8Array, site: Site, sighash: Uint8Array) => Uint8Array): Fault {
  return inTransfer((draft, site) => {
    const at = site.dice.below(3);
    draft.spoil = (signatures, sighash) =>
      signatures.map((signature, i) => (i === at % signatures.length ? forge(signature, site, sighash) : signature));
    return true;
  });
}

const number = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`);

/** What can be wrong with a transaction. Names are for messages alone. */
export const TRANSACTION_FAULTS: Readonly<Record<string, Fault>> = {
  version: inAny((draft, { dice, network, height }) => {
    draft.version = dice.pick([0, versionAt(network, height) + 1, 255]) % 256;
    return true;
  }),
  memo: inAny((draft, { dice }) => {
    draft.memo = dice.bytes(dice.pick([81, 82, 130]));
    return true;
  }),
  noInputs: inTransfer((draft) => {
    draft.inputs = [];
    return true;
  }),
  noOutputs: inTransfer((draft) => {
    draft.outputs = [];
    return true;
  }),
  sameInputTwice: inTransfer((draft, { dice }) => {
    if (draft.inputs.length === 0) return false;
    draft.inputs = dice.shuffled([...draft.inputs, dice.pick(draft.inputs)]);
    return true;
  }),
  zeroValue: inAny((draft, { dice }) => {
    const address = dice.pick(KEYS).address;
    draft.outputs = dice.shuffled([...draft.outputs, { address, value: 0n }]);
    return true;
  }),
  tooMuch: inAny((draft, { dice, network: { maxSupply } }) => {
    const address = dice.pick(KEYS).address;
    const values = dice.pick([
      [maxSupply, 1n],
      [maxSupply + 1n],
      [MAX_VALUE, MAX_VALUE],
      [1n, maxSupply],
      [maxSupply, 1n, 0n],
      [0n, maxSupply, 1n],
      [maxSupply],
    ]);
    if (values.some((value) => value > MAX_VALUE)) return false;
    draft.outputs = values.map((value) => ({ address, value }));
    return true;
  }),
  signatureMissing: inTransfer((draft) => {
    draft.spoil = (signatures) => signatures.slice(1);
    return true;
  }),
  signatureTooMany: inTransfer((draft, { dice }) => {
    const extra = dice.between(1, 3);
    draft.spoil = (signatures) => [...signatures, ...signatures, ...signatures].slice(0, signatures.length + extra);
    return true;
  }),
  inputUnknown: inTransfer((draft, { dice }) => {
    const wrong = dice.pick([
      { txid: toHex(dice.bytes(32)), index: 0 },
      { txid: draft.inputs[0]?.txid ?? '00'.repeat(32), index: dice.pick([4, 5, 255, 65_535]) },
    ]);
    draft.inputs = dice.shuffled([...draft.inputs.slice(1), wrong]);
    return true;
  }),
  inputSpent: inTransfer((draft, { dice, ledger }) => {
    const gone = ledger.history.filter(({ txid }) => !ledger.coins.some((coin) => coin.txid === txid));
    if (gone.length === 0) return false;
    draft.inputs = dice.shuffled([...draft.inputs, { txid: dice.pick(gone).txid, index: 0 }]);
    return true;
  }),
  immature: inTransfer((draft, { dice, ledger, network, height }) => {
    const young = ledger.coins.filter((coin) => coin.coinbase && height - coin.height < network.maturity);
    // The oldest of them lacks one block.
    const coin = dice.chance(0.7) ? young[0] : young.at(-1);
    if (coin === undefined) return false;
    draft.inputs = dice.shuffled([...draft.inputs, { txid: coin.txid, index: coin.index }]);
    return true;
  }),
  ownCoinbase: (block, site) => {
    const [coinbase] = block.transactions;
    const [output] = coinbase?.outputs ?? [];
    if (coinbase === undefined || output === undefined) return false;
    const inputs = [{ txid: txidOf(coinbase), index: 0 }];
    const value = output.value > 1n ? output.value - 1n : output.value;
    const outputs = [{ address: site.dice.pick(KEYS).address, value }];
    block.transactions.push(plainDraft({ inputs, outputs }));
    return true;
  },
  overspend: inTransfer((draft, { dice }) => {
    const [first, ...others] = draft.outputs;
    if (first === undefined) return false;
    draft.outputs = [{ ...first, value: first.value + BigInt(dice.pick([1, 5_000, 10 ** 6])) }, ...others];
    return true;
  }),
  /** At the limit another rule decides, or none; a byte more, and it is the size. */
  size: inTransfer((draft, { dice }) => {
    draft.outputs = [];
    draft.memo = new Uint8Array(0);
    const wanted = dice.pick([100_000, 100_001]);
    const base = encodeTransaction({ ...draft, signatures: [new Uint8Array(65)] }).length + 1;
    const count = Math.floor((wanted - base) / 21);
    const address = dice.pick(KEYS).address;
    draft.outputs = Array.from({ length: count }, () => ({ address, value: 1n }));
    draft.memo = new Uint8Array(wanted - base - 21 * count);
    draft.signatures = [new Uint8Array(65)];
    return true;
  }),
  highS: inSignature((signature) => {
    const s = ORDER - number(signature.slice(32, 64));
    return join(signature.slice(0, 32), scalar(s), Uint8Array.of((signature[64] ?? 0) ^ 1));
  }),
  badScalar: inSignature((signature, { dice }) => {
    const value = scalar(dice.pick([0n, ORDER, ORDER + 1n, 2n ** 256n - 1n]));
    return dice.chance(0.5)
      ? join(value, signature.slice(32))
      : join(signature.slice(0, 32), value, signature.slice(64));
  }),
  badRecovery: inSignature((signature, { dice }) =>
    join(signature.slice(0, 64), Uint8Array.of(dice.pick([2, 3, 27, 255]))),
  ),
  otherRecovery: inSignature((signature) => join(signature.slice(0, 64), Uint8Array.of((signature[64] ?? 0) ^ 1))),
  randomR: inSignature((signature, { dice }) => join(Uint8Array.of(7), dice.bytes(31), signature.slice(32))),
  infinity: inSignature((_signature, _site, sighash) => signatureOfNobody(sighash)),
  stranger: inSignature((_signature, { dice }, sighash) => sign(sighash, dice.pick(KEYS).secret)),
  swapped: inTransfer((draft, site) => {
    const coins = spendable(site, []);
    const [one] = coins;
    const other = coins.find(({ address }) => address !== one?.address);
    if (one === undefined || other === undefined) return false;
    draft.inputs = [one, other].map(({ txid, index }) => ({ txid, index }));
    draft.outputs = [{ address: one.address, value: one.value }];
    draft.spoil = (signatures) => [...signatures].reverse();
    return true;
  }),
  otherNetwork: inTransfer((draft) => {
    draft.genesis = 'ab'.repeat(32);
    return true;
  }),
};
