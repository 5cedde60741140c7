import { toBase64 } from '../../shared/bytes/base64.js';
import type { LocatedCoin } from '../../shared/consensus/coins.js';
import { genesisBlock } from '../../shared/consensus/genesis.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import type { NetworkParams } from '../../shared/consensus/params.js';
import { TrestleError } from '../../shared/errors.js';
import { type Address, type ChecksumAddress, formatAddress, parseAddress } from '../../shared/model/address.js';
import { type Amount, parseAmount, toAmount } from '../../shared/model/amount.js';
import { toHeight } from '../../shared/model/height.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { TransferBody } from '../../shared/model/transaction.js';
import { MAX_PAGE } from '../../shared/rpc/fields.js';
import type { ParamsView, UtxoView } from '../../shared/rpc/infoSchemas.js';
import type { SubmittedTransaction } from '../../shared/rpc/transactionSchemas.js';
import { deriveKey, type Key } from '../../shared/wallet/keys.js';
import { selectCoins } from '../../shared/wallet/selectCoins.js';
import { signTransfer } from '../../shared/wallet/signTransfer.js';
import { seedOf, type Words } from '../../shared/wallet/words.js';
import type { Client } from '../createClient.js';

/** The highest fee rate, in base units for each byte, that a node can make a wallet pay without being told to. */
const HIGHEST_FEE_RATE = 1_000;
/** How often the coins are read again because a block came in between. */
const MAX_READS = 10;

/** What a wallet spends with: words, or a key that was derived from some. */
type WalletSecret =
  | {
      readonly words: Words;
      /** BIP 44 account; 0 unless said otherwise. */
      readonly account?: number | undefined;
      readonly key?: undefined;
    }
  | { readonly key: Key; readonly words?: undefined };

/** How a wallet is opened. */
export type WalletOptions = WalletSecret & {
  /** The node it asks and sends through. */
  readonly client: Client;
  /** The hash of genesis of the network that the money is on; whichever the node names unless given. */
  readonly genesis?: string | undefined;
  /** The time, in milliseconds since 1970, for the transactions' timestamps; fractions are left out. The machine's unless given. */
  readonly now?: (() => number) | undefined;
};

/** Money of a wallet, in base units. */
export interface WalletBalance {
  /** Confirmed and spendable now. */
  readonly confirmed: bigint;
  /** Made by transactions that still wait. */
  readonly pending: bigint;
  /** Mined, but not ripe yet. */
  readonly immature: bigint;
}

/** One output of a payment. */
export interface Recipient {
  /** An address as people write it. */
  readonly to: string;
  /** Base units. */
  readonly amount: bigint;
}

/** What to send, and how. */
export interface SendOptions {
  readonly recipients: readonly Recipient[];
  /** Base units for each byte; what the node has seen to be enough soon unless said otherwise, or the least it relays. */
  readonly feeRate?: number | undefined;
  /** At most 80 bytes. */
  readonly memo?: Uint8Array | undefined;
}

/**
 * A wallet over one node. The words never leave it: it asks the node for the coins of its address, chooses and signs
 * here, and sends the finished transaction.
 */
export class Wallet {
  readonly #client: Client;
  readonly #key: Key;
  readonly #genesis: string | undefined;
  readonly #now: () => number;
  #params: ParamsView | undefined;

  constructor(options: WalletOptions) {
    const { client, genesis, now = Date.now } = options;
    this.#client = client;
    this.#genesis = genesis;
    this.#now = now;
    this.#key = options.words === undefined ? options.key : deriveKey(seedOf(options.words), options.account ?? 0, 0);
  }

  /** The address that receives, and gets the change, as people see it. */
  get address(): ChecksumAddress {
    return formatAddress(this.#key.address);
  }

  /** The BIP 32 path of the address. */
  get path(): string {
    return this.#key.path;
  }

  async balance(): Promise<WalletBalance> {
    const { coins, nextHeight } = await this.#coins();
    const sum = (part: readonly UtxoView[]): bigint => part.reduce((total, { value }) => total + value, 0n);
    const unspent = coins.filter(({ spender }) => spender === null);
    return {
      confirmed: sum(unspent.filter((coin) => coin.height !== null && coin.spendableAt <= nextHeight)),
      pending: sum(unspent.filter(({ height }) => height === null)),
      immature: sum(unspent.filter((coin) => coin.height !== null && coin.spendableAt > nextHeight)),
    };
  }

  /**
   * Pays the recipients in one transaction and answers once the node has taken it in. Confirmed coins are spent first;
   * those of waiting transactions only where they are needed, for they hang on the fate of the others.
   */
  async send({ recipients, feeRate, memo = new Uint8Array(0) }: SendOptions): Promise<SubmittedTransaction> {
    const params = await this.#networkParams();
    const rate = feeRate ?? (await this.#usualRate(params.minFeeRate));
    const outputs = recipients.map(({ to, amount }) => ({ address: requireAddress(to), value: requireAmount(amount) }));
    const amount = outputs.reduce((sum, { value }) => sum + value, 0n);
    const payment = {
      amount,
      outputs: outputs.length,
      memoBytes: memo.length,
      feeRate: rate,
    };
    const { coins, nextHeight } = await this.#coins();
    const spendable = coins.filter(({ spender, spendableAt }) => spender === null && spendableAt <= nextHeight);
    const confirmed = spendable.filter(({ height }) => height !== null);
    let selection = selectCoins(
      confirmed.map((coin) => this.#located(coin)),
      payment,
    );
    if (!selection.ok)
      selection = selectCoins(
        spendable.map((coin) => this.#located(coin)),
        payment,
      );
    if (!selection.ok) throw new TrestleError({ code: 'wallet-funds', ...selection.reject });
    const { coins: chosen, change } = selection.value;
    const body: TransferBody = {
      kind: 'transfer',
      version: 1,
      timestamp: Math.floor(this.#now()),
      inputs: chosen.map(({ outpoint }) => outpoint),
      outputs: change > 0n ? [...outputs, { address: this.#key.address, value: toAmount(change) }] : outputs,
      memo,
    };
    const transaction = signTransfer(body, {
      genesis: params.genesis,
      spent: chosen.map(({ coin }) => coin),
      secretKeyOf: (owner) => (owner === this.#key.address ? this.#key.secretKey : undefined),
    });
    return this.#client.transaction.submit.mutate({ transaction: toBase64(transaction.raw) });
  }

  /** What is paid where nobody says: what the node has seen to be enough soon, or else the least that it relays. */
  async #usualRate(least: number): Promise<number> {
    // A node of an earlier version cannot tell, and one that fails at this fails at sending, too.
    const estimate = await this.#client.transaction.estimateFee.query({}).catch(() => undefined);
    const feeRate = Math.max(least, estimate?.feeRate ?? 0);
    // It is only a node: it must not name a price that eats the money up.
    if (feeRate > HIGHEST_FEE_RATE) throw new TrestleError({ code: 'wallet-fee', feeRate, limit: HIGHEST_FEE_RATE });
    return feeRate;
  }

  #located({ txid, index, value, height }: UtxoView): LocatedCoin {
    const coin = { address: this.#key.address, value, height: height ?? toHeight(0), coinbase: false };
    return { outpoint: { txid, index }, coin };
  }

  /** All coins of the address, and the height of the block that could spend them. */
  async #coins(): Promise<{ coins: UtxoView[]; nextHeight: number }> {
    for (let attempt = 1; ; attempt++) {
      const coins: UtxoView[] = [];
      let page = await this.#client.info.utxos.query({ address: this.address, limit: MAX_PAGE });
      const { height } = page;
      coins.push(...page.items);
      while (page.next !== null && page.height === height) {
        page = await this.#client.info.utxos.query({ address: this.address, limit: MAX_PAGE, cursor: page.next });
        coins.push(...page.items);
      }
      // Pages from before and after a block do not fit together: a coin may stand on both, or on neither.
      if (page.height === height) return { coins, nextHeight: height + 1 };
      if (attempt === MAX_READS)
        throw new TrestleError({ code: 'busy', detail: 'the chain moves faster than it reads' });
    }
  }

  /** What the node says of its network, where that agrees with what is known here: a signature binds to the genesis. */
  async #networkParams(): Promise<ParamsView> {
    if (this.#params !== undefined) return this.#params;
    const params = await this.#client.info.params.query();
    const { name, genesis } = params;
    // One key has money on every network: what passes for a test must not be signed for the network it is worth something on.
    const named = Object.values(NETWORKS).find((known) => known.name === name || hashOf(known) === genesis);
    const expected = this.#genesis ?? (named === undefined ? genesis : hashOf(named));
    if (genesis !== expected || (named !== undefined && named.name !== name))
      throw new TrestleError({ code: 'peer-network', genesis, expected });
    this.#params = params;
    return params;
  }
}

function hashOf(params: NetworkParams): BlockHash {
  return genesisBlock(params).header.hash;
}

function requireAddress(text: string): Address {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  const detail = `${text} is no address: 0x and 40 hex digits, with a right checksum or none`;
  throw new TrestleError({ code: 'bad-request', detail });
}

function requireAmount(units: bigint): Amount {
  const amount = parseAmount(units);
  if (amount !== undefined && amount > 0n) return amount;
  throw new TrestleError({ code: 'bad-request', detail: `${units} base units are no amount to send` });
}
