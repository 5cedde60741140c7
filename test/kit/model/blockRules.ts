import { confirm, findCoin, type Ledger } from './ledger.js';
import { type Block, rootOf } from './model.js';
import { type Network, rewardAt } from './network.js';
import type { Signers } from './signatures.js';
import { type Broken, breaksAlone, breaksSignatures, breaksWithCoins, sumOf } from './transactionRules.js';

/** What blames whoever sent the body, and not the block. */
export function breaksBody({ header, transactions, bytes }: Block): Broken {
  if (bytes.length > 2_000_000) return 'block-too-large';
  return rootOf(transactions) === header.merkleRoot ? undefined : 'block-root';
}

/** The rules of a block that need no coins. */
export function breaksBlock({ header, transactions }: Block, network: Network): Broken {
  const [coinbase, ...transfers] = transactions;
  if (coinbase?.kind !== 'coinbase') return 'block-no-coinbase';
  if (transfers.some(({ kind }) => kind === 'coinbase')) return 'block-extra-coinbase';
  if (coinbase.height !== header.height) return 'block-coinbase-height';
  if (coinbase.signatures.length > 0) return 'block-coinbase-signatures';
  const txids = transactions.map(({ txid }) => txid);
  if (new Set(txids).size < txids.length) return 'block-duplicate-tx';
  for (const [position, transaction] of transactions.entries()) {
    const code = breaksAlone(transaction, network, header.height);
    if (code !== undefined) return `block-tx ${position} ${code}`;
  }
  const spent: string[] = [];
  for (const [position, { inputs }] of transactions.entries()) {
    for (const { txid, index } of inputs) {
      if (txids.indexOf(txid) >= position) return 'block-order';
      if (spent.includes(`${txid}:${index}`)) return 'block-double-spend';
      spent.push(`${txid}:${index}`);
    }
  }
  return undefined;
}

/** The rules of a block that need the coins before it. */
export function breaksConnected(
  { header, transactions }: Block,
  before: Ledger,
  { network, genesis, signers }: { network: Network; genesis: string; signers: Signers },
): Broken {
  const { height } = header;
  let ledger = before;
  let fees = 0n;
  const owned = [];
  for (const [position, transaction] of transactions.entries()) {
    if (transaction.kind === 'transfer') {
      const code = breaksWithCoins(transaction, ledger, { network, height });
      if (code !== undefined) return `block-tx ${position} ${code}`;
      const coins = transaction.inputs.flatMap((input) => findCoin(ledger, input) ?? []);
      fees += sumOf(coins) - sumOf(transaction.outputs);
      owned.push({ position, transaction, coins });
    }
    ledger = confirm(ledger, transaction, { height, position });
  }
  if (sumOf(transactions[0]?.outputs ?? []) > rewardAt(network, height) + fees) return 'block-coinbase-value';
  for (const { position, transaction, coins } of owned) {
    const code = breaksSignatures(transaction, coins, { genesis, signers });
    if (code !== undefined) return `block-tx ${position} ${code}`;
  }
  return undefined;
}
