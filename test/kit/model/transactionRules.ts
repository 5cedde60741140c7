import { type Coin, findCoin, type Ledger } from './ledger.js';
import { sighashOf, type Transaction } from './model.js';
import { type Network, versionAt } from './network.js';
import type { Signers } from './signatures.js';

/** The code of the rule that is broken; `undefined`: none. */
export type Broken = string | undefined;

/** The rules that need no coins. */
export function breaksAlone(transaction: Transaction, network: Network, height: number): Broken {
  const { version, kind, size, memo, inputs, outputs, signatures } = transaction;
  if (version < 1 || version > versionAt(network, height)) return 'tx-version';
  if (size > 100_000) return 'tx-too-large';
  if (memo.length > 80) return 'tx-memo-too-long';
  if (kind === 'transfer') {
    if (inputs.length === 0) return 'tx-no-inputs';
    if (outputs.length === 0) return 'tx-no-outputs';
    const names = inputs.map(({ txid, index }) => `${txid}:${index}`);
    if (new Set(names).size < names.length) return 'tx-duplicate-input';
  }
  let sum = 0n;
  for (const { value } of outputs) {
    if (value === 0n) return 'tx-value-zero';
    sum += value;
    if (sum > network.maxSupply) return 'tx-value-range';
  }
  if (kind === 'transfer' && (signatures.length < 1 || signatures.length > inputs.length)) return 'tx-signature-count';
  return undefined;
}

/** The rules of a transfer that need coins, signatures aside. */
export function breaksWithCoins(
  transfer: Transaction,
  ledger: Ledger,
  { network, height }: { network: Network; height: number },
): Broken {
  const coins: Coin[] = [];
  for (const input of transfer.inputs) {
    const coin = findCoin(ledger, input);
    if (coin === undefined) return 'tx-input-missing';
    if (coin.coinbase && height - coin.height < network.maturity) return 'tx-immature';
    coins.push(coin);
  }
  if (sumOf(coins) < sumOf(transfer.outputs)) return 'tx-overspend';
  return transfer.signatures.length === ownersOf(coins).length ? undefined : 'tx-signature-count';
}

/** The rules of a transfer's signatures, given the coins it spends in the order of its inputs. */
export function breaksSignatures(
  transfer: Transaction,
  spent: readonly Coin[],
  { genesis, signers }: { genesis: string; signers: Signers },
): Broken {
  const sighash = sighashOf(genesis, transfer.txid, spent);
  for (const [i, owner] of ownersOf(spent).entries()) {
    const signer = signers.of(sighash, transfer.signatures[i] ?? new Uint8Array(65));
    if (signer === undefined) return 'tx-signature-invalid';
    if (signer !== owner) return 'tx-signature-owner';
  }
  return undefined;
}

export function sumOf(coins: readonly { readonly value: bigint }[]): bigint {
  return coins.reduce((sum, { value }) => sum + value, 0n);
}

/** The distinct owners, in the order in which they first appear. */
export function ownersOf(coins: readonly { readonly address: string }[]): string[] {
  return [...new Set(coins.map(({ address }) => address))];
}
