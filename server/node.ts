import type { NetworkParams } from '../shared/consensus/params.js';
import { Emitter } from '../shared/emitter.js';
import type { Block } from '../shared/model/block.js';
import type { NodeApi } from '../shared/rpc/nodeApi.js';
import { appRouter } from '../shared/rpc/router.js';
import { createBlockApi } from './api/blockApi.js';
import { createInfoApi } from './api/infoApi.js';
import { createPeerApi } from './api/peerApi.js';
import { createTransactionApi } from './api/transactionApi.js';
import { tipView } from './api/views.js';
import { Chainstate } from './chain/chainstate.js';
import { VerifiedSet } from './chain/verifiedSet.js';
import { type NodeConfigInput, nodeConfig, parseConfig } from './config.js';
import { Subscriptions } from './events/subscriptions.js';
import { Health } from './health.js';
import { launch, type RunningServer, type ServerPorts } from './launch.js';
import { Departures } from './mempool/departures.js';
import type { MempoolEvents } from './mempool/events.js';
import { FeeWatch } from './mempool/feeWatch.js';
import { Mempool } from './mempool/mempool.js';
import { SavedPool } from './mempool/savedPool.js';
import { Templates } from './miner/templates.js';
import type { Bans } from './net/bans.js';
import { BookKeeper, NODE_CARE } from './net/bookKeeper.js';
import { Greeter } from './net/greeter.js';
import { OwnNonces } from './net/handshake.js';
import { PeerBook } from './net/peerBook.js';
import { Peers } from './net/peers.js';
import type { PeerUrl } from './net/peerUrl.js';
import { Reception } from './net/reception.js';
import { Upkeep } from './net/upkeep.js';
import { requirePeerUrl } from './ownUrl.js';
import { paceOf } from './pace.js';
import type { Signatures, Vitals } from './ports.js';
import { Relay } from './relay/relay.js';
import type { Kv } from './store/kv.js';
import { RelayedTransactions } from './sync/relayedTransactions.js';
import { SyncRunner } from './sync/runner.js';
import { TransactionFetcher } from './sync/transactionFetcher.js';
import { loadEngine } from './system/engines.js';
import { inlineSignatures } from './system/signatures.js';
import { processVitals } from './system/vitals.js';

/** What a node takes from its surroundings. A test or a simulation hands in its own. */
export interface NodePorts extends ServerPorts {
  readonly signatures: Signatures;
  readonly vitals: Vitals;
  /** The waiting transactions' own store: saving one must not wait for the disk. */
  readonly poolKv: Kv;
}

/** A full node that runs. A program that holds it may read its parts; what they know is theirs to change. */
export interface RunningNode extends RunningServer {
  readonly chain: Chainstate;
  readonly mempool: Mempool;
  readonly peers: Peers;
  readonly bans: Bans;
  readonly sync: SyncRunner;
}

/**
 * Starts a full node: the one place where its parts are put together, each with what it needs and no more. Throws
 * before anything runs where the configuration, the data directory or the address cannot be used.
 */
export function startNode(
  params: NetworkParams,
  input: NodeConfigInput,
  ports: Partial<NodePorts> = {},
): Promise<RunningNode> {
  const config = parseConfig(nodeConfig, input);
  const directories = config.directories.map(requirePeerUrl);
  const seeds = config.peers.map(requirePeerUrl);
  return launch({
    params,
    config,
    defaultPort: params.nodePort,
    ports,
    async build(ground) {
      const { life, log, clock, random, dialer, sessions, bans, isShared, directory, allowPrivate, ownUrl, openStore } =
        ground;
      const { signal } = life;
      const signatures = ports.signatures ?? inlineSignatures(await loadEngine(config.signatureEngine, { log }), clock);
      const kv = await openStore('chain', { synced: true, expendable: false, given: ports.kv });
      const poolKv = await openStore('pool', { synced: false, expendable: true, given: ports.poolKv });
      const health = life.add('health', new Health(clock, ports.vitals ?? processVitals()));

      const verified = new VerifiedSet();
      const savedPool = new SavedPool(poolKv, log);
      const keep = (block: Block): Promise<void> => savedPool.keep(block, clock.now());
      const chainParts = { kv, directory, params, signatures, verified, clock, log, keep };
      const chain = life.add('chain', await Chainstate.open(chainParts));
      const events = new Emitter<MempoolEvents>();
      const departures = life.add('departures', new Departures({ kv: poolKv, events, clock, log }));
      const poolParts = { chain, kv: poolKv, signatures, verified, clock, log, events, maxBytes: config.maxPoolBytes };
      const mempool = life.add('mempool', await Mempool.open(poolParts));
      const fees = life.add('fees', new FeeWatch({ chain, mempool, kv: poolKv, clock, log }));
      const templates = life.add('templates', new Templates({ chain, mempool, clock, random }));

      const genesis = chain.genesis.header.hash;
      const tip = () => tipView(chain);
      const book = new PeerBook({ kv, clock, random, allowPrivate });
      life.add('bans', bans);
      await bans.keepIn(kv);
      for (const url of seeds) {
        // The book is a help: a disk that is full now is no reason not to start.
        await book
          .keep(url)
          .catch((error: unknown) => log.warn('the list of known nodes cannot be saved', { error: String(error) }));
      }
      const nonces = new OwnNonces(random);
      const pace = paceOf(params);
      const greeter = new Greeter({ genesis, tip, ownUrl, dialer, nonces });
      const known = { genesis, book, clock, random, log, signal };
      const parts = { book, sessions, bans, isShared, clock, greeter, ownUrl, log, signal };
      const peers = life.add('peers', new Peers(parts));
      const care = { ...known, peers, greeter, ownUrl, directories, tip, everyMs: pace.upkeepMs, doubts: pace };
      const upkeep = life.add('upkeep of peers', new Upkeep(care));
      const exclude = (url: PeerUrl): boolean => url === ownUrl() || peers.get(url) !== undefined;
      const isAlone = (): boolean => peers.all().length === 0;
      const checks = { ...known, dialer, care: NODE_CARE, everyMs: pace.feelerMs, isAlone, exclude };
      const keeper = life.add('book keeper', new BookKeeper(checks));
      const onConfirmed = (url: PeerUrl): void => peers.meet(url);
      const reception = new Reception({ genesis, tip, nonces, sessions, book, dialer, bans, onConfirmed });
      const relayedParts = { chain, mempool, peers, clock, log, signal };
      const relayed = life.add('relayed transactions', new RelayedTransactions(relayedParts));
      const fetcher = new TransactionFetcher({ peers, relayed });
      const shared = { chain, mempool, peers, relayed, fetcher, clock, random, log, signal };
      const sync = life.add('sync', new SyncRunner({ ...shared, intervalMs: pace.syncMs }));
      const relay = life.add('relay', new Relay({ ...shared, sync }));

      const subscriptions = new Subscriptions();
      const node: NodeApi = {
        block: createBlockApi({ chain, templates, relay, subscriptions }),
        transaction: createTransactionApi({
          ...{ chain, mempool, signatures, verified, departures, fees },
          ...{ relay, subscriptions, clock },
        }),
        peer: createPeerApi({
          ...{ name: config.name, network: params.name, genesis, tip, ownUrl, book, reception, nonces, clock },
          signatureEngine: signatures.engine,
          peers,
          bans,
          heightOf: (url) => peers.get(url)?.tip.height,
          stop: () => void life.stop(),
        }),
        info: createInfoApi({
          ...{ chain, mempool, fees, sync, subscriptions, clock },
          health: () => ({
            ...{ ok: true, peers: peers.all().length, sessions: sessions.count, orphans: relayed.orphans },
            ...health.view(),
          }),
        }),
      };
      return {
        router: appRouter,
        context: { node },
        start() {
          upkeep.start();
          keeper.start();
          sync.start();
        },
        facts: { genesis, height: chain.tip.header.height, signatures: signatures.engine },
        shown: { chain, mempool, peers, bans, sync },
      };
    },
  });
}
