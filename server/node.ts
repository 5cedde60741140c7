import { join } from 'node:path';
import type { NetworkParams } from '../shared/consensus/params.js';
import type { NodeApi } from '../shared/rpc/nodeApi.js';
import { appRouter } from '../shared/rpc/router.js';
import { createBlockApi } from './api/blockApi.js';
import { createInfoApi } from './api/infoApi.js';
import { createPeerApi } from './api/peerApi.js';
import { createTransactionApi } from './api/transactionApi.js';
import { tipView } from './api/views.js';
import { Chainstate } from './chain/chainstate.js';
import { VerifiedSet } from './chain/verifiedSet.js';
import { type NodeConfigInput, nodeConfig } from './config.js';
import { Health } from './health.js';
import { callContext } from './http/callers.js';
import { listen } from './http/listen.js';
import { operatorToken } from './http/operatorToken.js';
import { Lifecycle } from './lifecycle.js';
import { Mempool } from './mempool/mempool.js';
import { Templates } from './miner/templates.js';
import { type Dialer, httpDialer } from './net/dialer.js';
import { OwnNonces } from './net/handshake.js';
import { PeerBook } from './net/peerBook.js';
import { Peers } from './net/peers.js';
import type { PeerUrl } from './net/peerUrl.js';
import { Reception } from './net/reception.js';
import { Sessions } from './net/sessions.js';
import { ownUrlOf, requirePeerUrl } from './ownUrl.js';
import { paceOf } from './pace.js';
import type { Clock, Logger, Random, Signatures } from './ports.js';
import { Relay } from './relay/relay.js';
import type { Kv } from './store/kv.js';
import { lmdbKv } from './store/lmdbKv.js';
import { lockDirectory } from './store/lock.js';
import { SyncRunner } from './sync/runner.js';
import { TransactionFetcher } from './sync/transactionFetcher.js';
import { systemClock } from './system/clock.js';
import { createLogger } from './system/logger.js';
import { systemRandom } from './system/random.js';
import { inlineSignatures, loadEngine } from './system/signatures.js';

/** What a node takes from its surroundings. A test or a simulation hands in its own. */
export interface NodePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signatures: Signatures;
  readonly dialer: Dialer;
  /** The chain's store, and the waiting transactions' own. */
  readonly kv: Kv;
  readonly poolKv: Kv;
}

/** A node that runs. */
export interface RunningNode extends AsyncDisposable {
  readonly name: string;
  /** Where it answers. */
  readonly url: string;
  /** The token for operator calls. */
  readonly token: string;
  readonly params: NetworkParams;
  /** Ends it, in order; the same promise however often it is asked. */
  stop(): Promise<void>;
  /** Settles when it has ended, for whatever reason. */
  readonly stopped: Promise<void>;
}

/**
 * Starts a full node: the one place where its parts are put together. Each part gets what it needs and no more; they end
 * in the reverse order of their start, also when a later one fails to start.
 */
export async function startNode(
  params: NetworkParams,
  input: NodeConfigInput,
  ports: Partial<NodePorts> = {},
): Promise<RunningNode> {
  const config = nodeConfig.parse(input);
  const { dataDir: directory } = config;
  const directories = config.directories.map(requirePeerUrl);
  const seeds = config.peers.map(requirePeerUrl);
  const log = ports.log ?? createLogger(config.name, config.logLevel);
  const clock = ports.clock ?? systemClock;
  const random = ports.random ?? systemRandom;
  const life = new Lifecycle(log);
  const stop = (): Promise<void> => life.stop();
  try {
    const lock = await lockDirectory(directory);
    life.add('lock', { close: () => lock.release() });
    const token = await operatorToken(directory, random);
    const signatures = ports.signatures ?? inlineSignatures(await loadEngine(log), clock);
    const kv = life.add('store', ports.kv ?? lmdbKv({ directory: join(directory, 'chain'), synced: true }));
    const poolKv = life.add(
      'pool store',
      ports.poolKv ?? lmdbKv({ directory: join(directory, 'pool'), synced: false }),
    );
    const health = life.add('health', new Health(clock));
    const dialer = life.add('dialer', ports.dialer ?? httpDialer({ allowPrivate: config.allowPrivate, clock }));

    const verified = new VerifiedSet();
    const chain = life.add('chain', await Chainstate.open({ kv, directory, params, signatures, verified, clock, log }));
    const mempool = life.add('mempool', await Mempool.open({ chain, kv: poolKv, signatures, verified, clock, log }));
    const templates = life.add('templates', new Templates({ chain, mempool, clock, random }));

    const genesis = chain.genesis.header.hash;
    const tip = () => tipView(chain);
    let ownUrl: PeerUrl | null = null;
    const book = new PeerBook({ kv, clock, random });
    for (const url of seeds) await book.learn(url);
    const nonces = new OwnNonces(random);
    const sessions = new Sessions(random);
    const { upkeepMs, syncMs } = paceOf(params);
    const peers = life.add(
      'peers',
      new Peers({
        genesis,
        tip,
        ownUrl: () => ownUrl,
        book,
        dialer,
        nonces,
        clock,
        random,
        log,
        directories,
        upkeepMs,
      }),
    );
    const onConfirmed = (url: PeerUrl): void => peers.meet(url);
    const reception = new Reception({ genesis, tip, nonces, sessions, book, dialer, onConfirmed });
    const fetcher = new TransactionFetcher(mempool, log);
    const sync = life.add(
      'sync',
      new SyncRunner({ chain, mempool, peers, fetcher, clock, random, log, intervalMs: syncMs }),
    );
    const relay = life.add('relay', new Relay({ chain, mempool, peers, sync, fetcher, clock, log }));

    const node: NodeApi = {
      block: createBlockApi({ chain, templates, relay }),
      transaction: createTransactionApi({ chain, mempool, relay }),
      peer: createPeerApi({
        name: config.name,
        network: params.name,
        genesis,
        tip,
        ownUrl: () => ownUrl,
        signatureEngine: signatures.engine,
        book,
        reception,
        nonces,
        heightOf: (url) => peers.get(url)?.tip.height,
        clock,
        stop: () => void stop(),
      }),
      info: createInfoApi({
        chain,
        mempool,
        sync,
        health: () => ({ ok: true, peers: peers.all().length, sessions: sessions.count, ...health.view() }),
      }),
    };
    const callers = { sessions, clock, operatorToken: token, remoteOperator: config.remoteOperator };
    const server = life.add(
      'http',
      await listen({
        router: appRouter,
        host: config.host,
        port: config.port,
        hosts: config.allowHosts,
        origins: config.allowOrigins,
        createContext: (request) => ({ node, ...callContext(request, callers) }),
        clock,
        log,
      }),
    );
    ownUrl = ownUrlOf(config.url, server.host, server.port);
    const url = ownUrl ?? `http://127.0.0.1:${server.port}`;
    log.info('node started', {
      url,
      network: params.name,
      genesis,
      height: chain.tip.header.height,
      signatures: signatures.engine,
    });
    peers.start();
    sync.start();
    return { name: config.name, url, token, params, stop, stopped: life.stopped, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
