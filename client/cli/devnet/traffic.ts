import { randomBytes, randomInt } from 'node:crypto';
import { COIN } from '../../../shared/model/amount.js';
import type { TxId } from '../../../shared/model/ids.js';
import { wordsFromEntropy } from '../../../shared/wallet/words.js';
import { reasonOf } from '../../failure.js';
import { sleep } from '../../time.js';
import { Wallet } from '../../wallet/wallet.js';
import type { NetworkNode } from './network.js';

/** Time between two payments of one wallet. */
const PAUSE_MS = 250;
/** How many coins of what size each wallet begins with: as many as it may have waiting at a time. */
const COINS_EACH = 15;
const FIRST_COIN = (COIN * 3n) / 100n;

/** A wallet that pays through one node, so that it sees its own last payment. */
export interface Payer {
  readonly name: string;
  readonly address: string;
  readonly through: NetworkNode;
  readonly wallet: Wallet;
}

/** A payment that a node took in. */
export interface PostedTransfer {
  readonly txid: TxId;
  readonly through: string;
}

/** Makes a wallet with new words. */
export function createPayer(name: string, through: NetworkNode): Payer {
  const words = wordsFromEntropy(new Uint8Array(randomBytes(16)));
  const wallet = new Wallet({ client: through.client, words });
  return { name, address: wallet.address, through, wallet };
}

/** Wallets that pay each other without end. */
export class Traffic {
  readonly payers: readonly Payer[];
  readonly posted: PostedTransfer[] = [];
  #pause: AbortController | undefined;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(payers: readonly Payer[]) {
    this.payers = payers;
  }

  /** Splits one wallet's money among all: each gets coins enough to pay many times between two blocks. */
  async spread(from: Payer): Promise<TxId> {
    const recipients = this.payers.flatMap(({ address }) =>
      Array.from({ length: COINS_EACH }, () => ({ to: address, amount: FIRST_COIN })),
    );
    return (await from.wallet.send({ recipients })).txid;
  }

  start(): void {
    const pause = new AbortController();
    this.#pause = pause;
    this.#loops = Promise.all(this.payers.map((payer) => this.#keepPaying(payer, pause.signal)));
  }

  /** Ends paying; settles once no payment is under way. */
  async stop(): Promise<void> {
    this.#pause?.abort();
    await this.#loops;
  }

  /** One payment from a wallet to another, drawn at random. */
  async pay(payer: Payer): Promise<PostedTransfer> {
    const others = this.payers.filter((other) => other !== payer);
    const to = others[randomInt(others.length)]?.address ?? payer.address;
    const amount = BigInt(randomInt(10_000, 100_000));
    const { txid } = await payer.wallet.send({ recipients: [{ to, amount }] });
    const posted = { txid, through: payer.through.name };
    this.posted.push(posted);
    return posted;
  }

  async #keepPaying(payer: Payer, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.pay(payer);
      } catch (error) {
        // Most are money that still waits; the next try comes soon.
        if (reasonOf(error) === null) throw error;
      }
      await sleep(PAUSE_MS, signal);
    }
  }
}
