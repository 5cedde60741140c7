import type { Client } from '../../client/createClient.js';
import type { Wallet } from '../../client/wallet/wallet.js';
import type { NetworkParams } from '../../shared/consensus/params.js';
import type { BlockHash, TxId } from '../../shared/model/ids.js';
import type { SubmittedTransaction } from '../../shared/rpc/transactionSchemas.js';
import type { NodeView } from './nodeView.js';

/** A node of a network under test. It stays the same object over crashes and restarts. */
export interface NetworkNode {
  /** Its place in `nodes`, by which every other call names it. */
  readonly index: number;
  readonly name: string;
  readonly url: string;
  /** The ordinary typed client, with the operator's token. */
  readonly client: Client;
  readonly isRunning: boolean;
}

/** How a node goes down: its process is killed, or the machine loses its power and with that what was not synced. */
export type CrashKind = 'process' | 'power';

/** What a reorganisation did. */
export interface Reorg {
  /** The blocks that left the chain, lowest first. */
  readonly disconnected: readonly BlockHash[];
  /** The blocks that took their place, lowest first. */
  readonly connected: readonly BlockHash[];
}

/**
 * A whole network in the hands of a test: simulated in this process by `simulate`, or of real processes by `launch`. What
 * is written against this interface runs on both.
 */
export interface Network extends AsyncDisposable {
  readonly params: NetworkParams;
  readonly nodes: readonly NetworkNode[];
  /** One wallet a node, which it asks and is paid by. The words are the same in every run. */
  readonly wallets: readonly Wallet[];
  /** Milliseconds since the network was up. */
  readonly now: number;
  /** The node of a place. Throws where there is none: `nodes[0]` may be `undefined`, as far as the compiler knows. */
  node(index: number): NetworkNode;
  /** The wallet of a place. Throws where there is none. */
  wallet(index: number): Wallet;
  /** Mines blocks at a node, each on that node's tip, paid to the node's wallet. Answers once that node has them. */
  mine(node: number, count?: number): Promise<readonly BlockHash[]>;
  /** Pays base units from one wallet, through its node, to another wallet or to an address. */
  send(from: number, to: number | string, amount: bigint): Promise<SubmittedTransaction>;
  /** Cuts the network into groups that do not hear each other. A node that no group names is alone. */
  partition(...groups: readonly (readonly number[])[]): void;
  /** Cuts what one node sends to another; the other direction stays. */
  cut(from: number, to: number): void;
  /** Joins what was parted or cut. */
  heal(): void;
  /** Ends a node in the middle of whatever it does. */
  crash(node: number, kind?: CrashKind): Promise<void>;
  /** Ends a node as an operator would. */
  stop(node: number): Promise<void>;
  /** Starts a node that is down, on what it had stored durably. */
  restart(node: number): Promise<void>;
  /** Lets time go by. */
  advance(ms: number): Promise<void>;
  /** Runs an action at a moment on the scale of `now`. A failure of it fails the call that time goes by in. */
  at(ms: number, action: () => void | Promise<void>): void;
  /**
   * Lets time go by until the nodes that can hear each other agree on the tip and have nothing more to tell. Throws where
   * that takes too long, with what each node has.
   */
  settle(): Promise<void>;
  /** Replaces the last `depth` blocks of a node's chain by `depth + 1` empty ones. */
  reorg(options: { readonly depth: number; readonly node?: number | undefined }): Promise<Reorg>;
}

/** What is seen of a network whose nodes live in this process: at once, without a call. */
export interface Look {
  readonly views: () => readonly NodeView[];
  /** How often each node has a transaction confirmed: 0 while it waits, `undefined` where the node does not know it. */
  readonly confirmations: (txid: TxId) => readonly (number | undefined)[];
  /** What is wrong with each node; `undefined`: nothing. */
  readonly faults: () => readonly (string | undefined)[];
}

/** A network that can be looked at from within. What is asserted of it is asserted at once. */
export interface TransparentNetwork extends Network {
  readonly look: Look;
}
