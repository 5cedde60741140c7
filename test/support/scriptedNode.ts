import { createTRPCClient, TRPCClientError } from '@trpc/client';
import { observable } from '@trpc/server/observable';
import type { Client } from '../../client/createClient.js';
import { bytesFromBigint } from '../../shared/bytes/bigEndian.js';
import { toHex } from '../../shared/bytes/hex.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { targetFromBits } from '../../shared/consensus/target.js';
import { TrestleError } from '../../shared/errors.js';
import { toAmount } from '../../shared/model/amount.js';
import { encodeHeader, type Header } from '../../shared/model/header.js';
import { toHeight } from '../../shared/model/height.js';
import type { Reason } from '../../shared/reasons.js';
import type { SubmittedBlock, TemplateView } from '../../shared/rpc/blockSchemas.js';
import type { AppRouter } from '../../shared/rpc/router.js';
import { present } from '../kit/assertOk.js';
import { TestChain } from '../kit/testChain.js';

/** What a miner handed in. */
export interface Submission {
  readonly template: string;
  readonly timestamp: number;
  readonly nonce: bigint;
}

const UNREACHABLE: Reason = { code: 'peer-unreachable', url: 'http://scripted', detail: 'ECONNREFUSED' };

/** A node as a miner sees it, whose every answer a test decides. Long polls stay open until `answerPolls` or `moveTip`. */
export class ScriptedNode {
  readonly url: string;
  readonly client: Client;
  readonly #chain = new TestChain();
  readonly submissions: Submission[] = [];
  /** Calls by path. */
  readonly calls = new Map<string, number>();
  genesis = this.#chain.genesis.header.hash;
  missing = 0;
  /** What every call fails with, where set. */
  failure: Reason | undefined;
  /** The same for calls for templates alone. */
  templateFailure: Reason | undefined;
  /** What answers of templates are changed to. */
  bend = (template: TemplateView): unknown => template;
  /** What becomes of blocks. */
  submit: (submission: Submission) => SubmittedBlock['status'] | Reason = () => 'connected';
  #tip: Header = this.#chain.genesis.header;
  #templates = 0;
  readonly #polls = new Set<{ readonly finish: () => void; readonly fail: (reason: Reason) => void }>();

  constructor(url = 'http://scripted') {
    this.url = url;
    this.client = createTRPCClient<AppRouter>({
      links: [
        () =>
          ({ op: { path, input, signal } }) =>
            observable((observer) => {
              this.calls.set(path, (this.calls.get(path) ?? 0) + 1);
              this.#answer(path, input as never, signal ?? undefined).then(
                (data) => {
                  observer.next({ result: { type: 'data', data } });
                  observer.complete();
                },
                (error: Error) => observer.error(TRPCClientError.from(error)),
              );
            }),
      ],
    });
  }

  get tip(): Header {
    return this.#tip;
  }

  /** Long polls that are open. */
  get polls(): number {
    return this.#polls.size;
  }

  /** A new tip, which every long poll hears of. */
  moveTip(blocks = 1): void {
    for (let i = 0; i < blocks; i++)
      this.#tip = { ...this.#tip, height: toHeight(this.#tip.height + 1), hash: present(nextHash(this.#tip)) };
    this.answerPolls();
  }

  answerPolls(): void {
    for (const { finish } of [...this.#polls]) finish();
  }

  /** The process ends: open calls break off, and those to come find nobody. */
  die(reason: Reason = UNREACHABLE): void {
    this.failure = reason;
    for (const { fail } of [...this.#polls]) fail(reason);
  }

  revive(): void {
    this.failure = undefined;
  }

  async #answer(path: string, input: never, signal: AbortSignal | undefined): Promise<unknown> {
    if (this.failure !== undefined) throw new TrestleError(this.failure);
    const tip = { height: this.#tip.height, hash: this.#tip.hash, work: 1n };
    switch (path) {
      case 'node.ping':
        return { genesis: this.genesis, tip, time: 0 };
      case 'info.sync':
        return syncView(tip.height, this.missing);
      case 'block.template':
        return this.#template(input, signal);
      case 'block.submit': {
        this.submissions.push(input);
        const outcome = this.submit(input);
        if (typeof outcome !== 'string') throw new TrestleError(outcome);
        if (outcome === 'connected') this.moveTip();
        return { hash: this.#tip.hash, height: this.#tip.height, status: outcome };
      }
      default:
        throw new Error(`${path} is not in the script`);
    }
  }

  async #template({ current }: { current?: string }, signal: AbortSignal | undefined): Promise<unknown> {
    if (this.templateFailure !== undefined) throw new TrestleError(this.templateFailure);
    if (current !== undefined)
      await new Promise<void>((resolve, reject) => {
        const end = (settle: () => void): void => {
          this.#polls.delete(poll);
          signal?.removeEventListener('abort', abort);
          settle();
        };
        const poll = {
          finish: () => end(resolve),
          fail: (reason: Reason) => end(() => reject(new TrestleError(reason))),
        };
        const abort = (): void => poll.fail(UNREACHABLE);
        this.#polls.add(poll);
        signal?.addEventListener('abort', abort);
      });
    const { header } = this.#chain.genesis;
    const bits = NETWORKS.main.genesisBits;
    const height = toHeight(this.#tip.height + 1);
    const fields = { ...header, height, previous: this.#tip.hash, bits, timestamp: 1_000_000, nonce: 0n };
    return this.bend({
      id: (++this.#templates).toString(16).padStart(16, '0'),
      header: toHex(encodeHeader(fields)),
      target: toHex(bytesFromBigint(present(targetFromBits(bits)), 32)),
      height,
      previous: this.#tip.hash,
      minTime: 1,
      transactionCount: 1,
      fees: toAmount(10n),
      reward: toAmount(90n),
    });
  }
}

function nextHash({ hash }: Header): Header['hash'] | undefined {
  const next = (BigInt(`0x${hash}`) + 1n).toString(16).padStart(64, '0');
  return next as Header['hash'];
}

function syncView(height: number, missing: number): unknown {
  const rates = { blocksPerSecond: 0, transactionsPerSecond: 0, remainingMs: null };
  const sums = { blocks: 0, transactions: 0, elapsedMs: 0, runs: 0 };
  return {
    phase: 'idle',
    peer: null,
    peers: [],
    height,
    bestHeader: height + missing,
    target: null,
    ...sums,
    ...rates,
  };
}
