import {
  type AddressView,
  type ChainView,
  RICH_LIST_ROWS,
  type RichEntry,
  type UtxoView,
} from '../../../shared/rpc/infoSchemas.js';
import { type Account, accountsOf, addressesOf, richList, supplyOf } from './ledger.js';
import { rewardAt } from './network.js';
import type { Validator } from './validator.js';

/** Addresses looked at one by one. */
const RICHEST = 4;
const LATEST = 4;

/** What a node says of one address, its confirmed coins in any order. */
export interface AddressAccount {
  readonly address: string;
  readonly view: AddressView;
  readonly coins: readonly UtxoView[];
}

/** What a node says of its chain at a glance that its blocks do not come to; `undefined`: nothing. */
export function falseTotals(said: ChainView, validator: Validator): string | undefined {
  const { ledger, network, chain } = validator;
  const height = chain.length - 1;
  const totals = firstFalse([
    ['name', said.name, network.name],
    ['height', said.height, height],
    ['tip', said.tip, chain.at(-1)?.header.hash],
    ['work', said.work, validator.bestWork],
    ['supply', said.supply, supplyOf(ledger)],
    ['totalTransactions', said.totalTransactions, ledger.transactions],
    ['totalAddresses', said.totalAddresses, addressesOf(ledger).length],
    ['blockReward', said.blockReward, rewardAt(network, height + 1)],
  ]);
  return totals ?? falseRows('info.chain richList', said.richList, richList(ledger).slice(0, RICH_LIST_ROWS));
}

/** The same of its whole rich list. */
export function falseRichList(said: readonly RichEntry[], { ledger }: Validator): string | undefined {
  return falseRows('info.richList', said, richList(ledger));
}

/** The same of one address. */
export function falseAddress({ address, view, coins }: AddressAccount, { ledger, network }: Validator) {
  const account = accountsOf(ledger).find((candidate) => candidate.address === plain(address));
  const held = ledger.coins
    .filter((coin) => coin.address === plain(address))
    .map(({ txid, index, value, height, coinbase }) =>
      coinText({ txid, index, value, height, spendableAt: height + (coinbase ? network.maturity : 1) }),
    );
  return firstFalse([
    [`balance of ${address}`, view.balance, account?.balance ?? 0n],
    [`received of ${address}`, view.received, account?.received ?? 0n],
    [`sent of ${address}`, view.sent, account?.sent ?? 0n],
    [`transactionCount of ${address}`, view.transactionCount, account?.transactions ?? 0],
    [`coinCount of ${address}`, view.coinCount, held.length],
    [`utxos of ${address}`, coins.map(coinText).sort().join(', '), held.sort().join(', ')],
  ]);
}

/** The addresses worth asking after one by one: the richest, and those that moved last. With `0x` in front. */
export function sampleOf({ ledger }: Validator): string[] {
  const rich = richList(ledger).slice(0, RICHEST);
  const latest = ledger.history.toReversed().map(({ address }) => address);
  return [...new Set([...rich.map(({ address }) => address), ...[...new Set(latest)].slice(0, LATEST)])].map(
    (address) => `0x${address}`,
  );
}

function coinText(coin: { txid: string; index: number; value: bigint; height: number | null; spendableAt: number }) {
  const { txid, index, value, height, spendableAt } = coin;
  return `${txid}:${index} with ${value} of height ${height}, spendable at ${spendableAt}`;
}

function plain(address: string): string {
  return address.replace(/^0x/, '').toLowerCase();
}

function falseRows(name: string, said: readonly RichEntry[], right: readonly Account[]): string | undefined {
  const text = (row: RichEntry | Account | undefined): string =>
    row === undefined ? 'nothing' : `0x${plain(row.address)} with ${row.balance}`;
  const rows = Array.from({ length: Math.max(said.length, right.length) }, (_, i) => i);
  return firstFalse(rows.map((i) => [`${name} row ${i}`, text(said[i]), text(right[i])]));
}

type Figure = string | number | bigint | undefined;

function firstFalse(pairs: readonly (readonly [name: string, said: Figure, right: Figure])[]): string | undefined {
  const wrong = pairs.find(([, said, right]) => said !== right);
  if (wrong === undefined) return undefined;
  const [name, said, right] = wrong;
  return `${name}: the node says ${said}, its blocks come to ${right}`;
}
