import { spendableAt } from '../../shared/consensus/coins.js';
import { subsidyAt } from '../../shared/consensus/subsidy.js';
import { type Address, formatAddress } from '../../shared/model/address.js';
import { toAmount } from '../../shared/model/amount.js';
import { type Height, toHeight } from '../../shared/model/height.js';
import { MIN_FEE_RATE } from '../../shared/policy/relay.js';
import type { Page } from '../../shared/rpc/fields.js';
import { type HealthView, type InfoApi, RICH_LIST_ROWS, type UtxoView } from '../../shared/rpc/infoSchemas.js';
import type { Chainstate } from '../chain/chainstate.js';
import { followSync } from '../events/followSync.js';
import type { Subscriptions } from '../events/subscriptions.js';
import type { FeeWatch } from '../mempool/feeWatch.js';
import type { Mempool } from '../mempool/mempool.js';
import type { Clock } from '../ports.js';
import type { SyncRunner } from '../sync/runner.js';
import { findRecord } from './lookup.js';
import { pageOf, pageOfRows } from './pages.js';
import { difficulty } from './views.js';

/** Begins the cursor of pages that hold coins of waiting transactions: they follow the confirmed ones. */
const PENDING = 'pending:';

/** What the `info` router works on. */
export interface InfoApiParts {
  readonly chain: Chainstate;
  readonly mempool: Mempool;
  readonly fees: FeeWatch;
  readonly sync: SyncRunner;
  readonly subscriptions: Subscriptions;
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly health: () => HealthView;
}

/** Answers the `info` router. */
export function createInfoApi(parts: InfoApiParts): InfoApi {
  const { chain, mempool, fees, sync, subscriptions, clock, health } = parts;
  const { params, store } = chain;
  return {
    chain: async () => {
      const { header, work } = chain.tip;
      const { transactions, addresses, supply } = chain.totals;
      return {
        name: params.name,
        height: header.height,
        tip: header.hash,
        work,
        totalTransactions: transactions,
        totalAddresses: addresses,
        blockTime: params.blockInterval / 1000,
        blockReward: subsidyAt(params, header.height + 1),
        supply,
        difficulty: difficulty(chain, header.bits),
        richList: store.rich({ limit: RICH_LIST_ROWS }).map(({ key }) => richEntry(key)),
      };
    },
    params: async () => ({
      name: params.name,
      genesis: chain.genesis.header.hash,
      blockIntervalMs: params.blockInterval,
      retarget: params.retarget,
      halfLifeMs: params.halfLife,
      genesisBits: params.genesisBits,
      reward: params.reward,
      halvingInterval: params.halvingInterval,
      coinbaseMaturity: params.coinbaseMaturity,
      maxSupply: params.maxSupply,
      minimumWork: params.minimumWork,
      upgrades: params.upgrades.map(({ height, version }) => ({ height: toHeight(height), version })),
      minFeeRate: MIN_FEE_RATE,
    }),
    richList: async (input) =>
      pageOfRows(
        input,
        (part) => store.rich(part),
        ({ key }) => richEntry(key),
      ),
    address: async ({ address }) => {
      await mempool.atRest();
      const { balance, received, sent, coins, transactions } = store.balance(address);
      return {
        address: formatAddress(address),
        balance,
        received,
        sent,
        transactionCount: transactions,
        coinCount: coins,
        pending: pendingOf(mempool, address),
      };
    },
    utxos: async ({ address, ...input }) => {
      // Amid a switch of branches a payment is in neither, its coin looks free, and paying with it again would replace it.
      await mempool.atRest();
      const { height } = chain.tip.header;
      const pending = pendingCoins(mempool, address, toHeight(height + 1));
      if (input.cursor?.startsWith(PENDING))
        return { height, ...pendingPage(pending, { ...input, cursor: input.cursor }) };
      const page = pageOfRows(
        input,
        (part) => store.coinsOf(address, part),
        ({ key: { outpoint }, value: coin }): UtxoView => ({
          ...outpoint,
          value: coin.value,
          height: coin.height,
          spendableAt: spendableAt(coin, params),
          spender: mempool.pool.spenderOf(outpoint) ?? null,
        }),
      );
      const next = page.next === null && pending.length > 0 ? `${PENDING}0` : page.next;
      return { height, items: page.items, next };
    },
    history: async ({ address, ...input }) =>
      pageOfRows(
        input,
        (part) => store.historyOf(address, part),
        ({ key: { height, position }, value: { txid, received, spent } }) => {
          const { timestamp } = findRecord(chain, height).header;
          return { txid, height, position, timestamp, received, spent };
        },
      ),
    mempool: async () => ({
      count: mempool.pool.count,
      bytes: mempool.pool.bytes,
      fees: toAmount(mempool.pool.fees),
      usage: mempool.pool.usage,
      minFeeRate: mempool.minFeeRate,
      maxBytes: mempool.maxBytes,
      histogram: mempool.pool.histogram.rows(),
      flow: fees.flow(),
    }),
    sync: async () => sync.view(),
    onSync: ({ remoteAddress }, signal) =>
      subscriptions.open({ remoteAddress, signal }, followSync(sync, { clock, signal })),
    health: async () => health(),
  };
}

function richEntry({ address, balance }: { readonly address: Address; readonly balance: bigint }) {
  return { address: formatAddress(address), balance: toAmount(balance) };
}

function pendingOf({ pool }: Mempool, address: Address) {
  let received = 0n;
  let spent = 0n;
  for (const entry of pool.touching(address)) {
    for (const output of entry.transaction.body.outputs) if (output.address === address) received += output.value;
    for (const coin of entry.spent) if (coin.address === address) spent += coin.value;
  }
  return { received, spent };
}

function pendingCoins({ pool }: Mempool, address: Address, spendableAt: Height): UtxoView[] {
  return pool.touching(address).flatMap(({ transaction: { txid, body } }) =>
    body.outputs.flatMap((output, index): UtxoView[] => {
      if (output.address !== address) return [];
      const spender = pool.spenderOf({ txid, index }) ?? null;
      return [{ txid, index, value: output.value, height: null, spendableAt, spender }];
    }),
  );
}

function pendingPage(coins: readonly UtxoView[], input: { cursor: string; limit: number }): Page<UtxoView> {
  const { items, next } = pageOf(
    coins,
    { cursor: input.cursor.slice(PENDING.length), limit: input.limit },
    (coin) => coin,
  );
  return { items, next: next === null ? null : `${PENDING}${next}` };
}
