import { isIP } from 'node:net';
import type { AnyTRPCRouter, inferRouterContext } from '@trpc/server';
import type { NetworkParams } from '../shared/consensus/params.js';
import type { CallContext } from '../shared/rpc/trpc.js';
import type { ServerConfig } from './config.js';
import { Admission } from './http/admission.js';
import { callContext, callerOf, isLoopback } from './http/callers.js';
import { type Listen, listen } from './http/listen.js';
import { Lifecycle } from './lifecycle.js';
import { addressKey } from './net/addressKey.js';
import { isPrivateAddress } from './net/addressPolicy.js';
import { Bans } from './net/bans.js';
import { type Dialer, httpDialer, type MakeDialer } from './net/dialer.js';
import { hostOf, type PeerUrl } from './net/peerUrl.js';
import { Sessions } from './net/sessions.js';
import { ownUrlOf, requirePeerUrl } from './ownUrl.js';
import type { Clock, Logger, Random } from './ports.js';
import { directoryPremises, type Premises } from './premises.js';
import { failStop } from './store/failStop.js';
import type { Kv } from './store/kv.js';
import { ownerOf } from './store/openStore.js';
import { boundedLog } from './system/boundedLog.js';
import { systemClock } from './system/clock.js';
import { createLogger } from './system/logger.js';
import { systemRandom } from './system/random.js';

/** What every server process takes from its surroundings. A test or a simulation hands in its own. */
export interface ServerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly dialer: MakeDialer;
  /** The durable store: the chain's, or a directory's book. Opened in the premises unless it is handed in. */
  readonly kv: Kv;
  readonly premises: Premises;
  readonly listen: Listen;
}

/** What the parts of a process are built on. */
export interface Ground extends Pick<ServerPorts, 'clock' | 'random' | 'log'> {
  readonly life: Lifecycle;
  readonly dialer: Dialer;
  readonly sessions: Sessions;
  readonly bans: Bans;
  /** Whether many nodes share an address, so that none of them may be banned by it: loopback and private ones, where those are called. */
  readonly isShared: (address: string) => boolean;
  readonly directory: string;
  /** Whether private addresses may be called. */
  readonly allowPrivate: boolean;
  /** Where this process can be reached; `null` until it listens, and where nobody can. */
  readonly ownUrl: () => PeerUrl | null;
  /** Opens a store within the data directory, unless the surroundings have brought one. */
  openStore(name: string, options: StoreOptions): Promise<Kv>;
}

/** How a process uses a store of its own. */
export interface StoreOptions {
  readonly synced: boolean;
  /** Whether the process goes on without what a damaged store held. */
  readonly expendable: boolean;
  readonly given: Kv | undefined;
}

/** What a process answers, once its parts are there. */
export interface Built<Router extends AnyTRPCRouter, Shown extends object> {
  readonly router: Router;
  /** What the router's procedures work on, beside the call itself. */
  readonly context: Omit<inferRouterContext<Router>, keyof CallContext>;
  /** Starts what runs by itself; called when the process listens and knows its address. */
  start(): void;
  /** What the log says of it at the start. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** What a program that holds this process may look at. */
  readonly shown: Shown;
}

/** A process that serves. */
export interface RunningServer extends AsyncDisposable {
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
  /** Why it ended by itself; `undefined` where it did not. */
  readonly failure: unknown;
}

/** What to launch. */
export interface LaunchOptions<Router extends AnyTRPCRouter, Shown extends object> {
  readonly params: NetworkParams;
  readonly config: ServerConfig;
  /** The port to listen on where the configuration names none. */
  readonly defaultPort: number;
  readonly ports: Partial<ServerPorts>;
  readonly build: (ground: Ground) => Promise<Built<Router, Shown>>;
}

/**
 * Starts a server process: lays the ground, has the parts built on it, and listens. The parts end in the reverse order
 * of their start, also when a later one fails to start.
 */
export async function launch<Router extends AnyTRPCRouter, Shown extends object>(
  options: LaunchOptions<Router, Shown>,
): Promise<RunningServer & Shown> {
  const { params, config, ports, build } = options;
  const { dataDir: directory, name } = config;
  const premises = ports.premises ?? directoryPremises(directory);
  if (config.publicUrl !== undefined) requirePeerUrl(config.publicUrl);
  const clock = ports.clock ?? systemClock;
  const log = ports.log ?? boundedLog(createLogger(name, config.logLevel), clock);
  const random = ports.random ?? systemRandom;
  const allowPrivate = config.allowPrivate ?? params.name === 'dev';
  const life = new Lifecycle(log);
  const { signal } = life;
  const stop = (): Promise<void> => life.stop();
  try {
    const lock = await premises.lock();
    life.add('lock', { close: () => lock.release() });
    const token = await premises.operatorToken(random);
    const dialer = life.add('dialer', (ports.dialer ?? httpDialer)({ allowPrivate, clock, signal }));
    const isShared = (address: string): boolean => allowPrivate && isPrivateAddress(address);
    const sessions = new Sessions(random, isShared);
    const bans = new Bans({ clock, log });
    let ownUrl: PeerUrl | null = null;
    const { router, context, start, facts, shown } = await build({
      ...{ life, log, clock, random, dialer, sessions, bans, isShared, directory, allowPrivate },
      ownUrl: () => ownUrl,
      async openStore(store, { synced, expendable, given }) {
        const own = { name: store, owner: ownerOf(params), synced, expendable, log, clock };
        const onFailure = (error: unknown): void => life.fail(error);
        const kv = life.add(`${store} store`, given ?? (await premises.openStore({ ...own, onDamage: onFailure })));
        return failStop(kv, onFailure);
      },
    });
    const callers = { sessions, clock, operatorToken: token, remoteOperator: config.remoteOperator };
    const isExempt = exemptIn(config, allowPrivate);
    const callerParts = { bans, clock, isExempt, isShared };
    const door = new Admission({ ...callerParts, callerOf: (incoming) => callerOf(incoming, callers) });
    const server = await (ports.listen ?? listen)({
      router,
      host: config.host,
      port: config.port ?? options.defaultPort,
      hosts: ownHosts(config),
      origins: config.allowOrigins,
      door,
      createContext: (incoming) => ({ ...context, ...callContext(incoming, callers) }),
      clock,
      log,
    });
    life.add('http', server);
    const own = ownUrlOf(config.publicUrl, server.host, server.port);
    const url = own ?? `http://127.0.0.1:${server.port}`;
    ownUrl = callableUrl(own, allowPrivate);
    if (ownUrl === null) log.warn('nobody can reach this node; name its address with --public-url', { url });
    log.info(`${name} started`, { url, network: params.name, ...facts });
    start();
    return {
      ...shown,
      ...{ name, url, token, params, stop, stopped: life.stopped },
      get failure() {
        return life.failure;
      },
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Whose calls are not counted: those the operator named, and this machine's own, where whole networks run on one machine,
 * as on `dev`.
 */
function exemptIn({ exempt }: ServerConfig, allowPrivate: boolean): (address: string) => boolean {
  const named = new Set(exempt.map(addressKey));
  return (address) => named.has(addressKey(address)) || (allowPrivate && isLoopback(address));
}

/** The names by which this process is called, whichever the operator allowed beside its own. */
function ownHosts({ host, publicUrl, allowHosts }: ServerConfig): string[] {
  return [...allowHosts, host.toLowerCase(), ...(publicUrl === undefined ? [] : [hostOf(requirePeerUrl(publicUrl))])];
}

/** An address of ours, where others may call it: one of a private network is no use to strangers, who refuse to. */
function callableUrl(url: PeerUrl | null, allowPrivate: boolean): PeerUrl | null {
  if (url === null || allowPrivate) return url;
  const host = hostOf(url);
  return isIP(host) !== 0 && isPrivateAddress(host) ? null : url;
}
