import { join } from 'node:path';
import type * as z from 'zod';
import { genesisBlock } from '../shared/consensus/genesis.js';
import type { NetworkParams } from '../shared/consensus/params.js';
import type { TipView } from '../shared/rpc/nodeSchemas.js';
import { directoryRouter } from '../shared/rpc/router.js';
import { createPeerApi } from './api/peerApi.js';
import { directoryConfig } from './config.js';
import { callContext } from './http/callers.js';
import { listen } from './http/listen.js';
import { operatorToken } from './http/operatorToken.js';
import { Lifecycle } from './lifecycle.js';
import { BookKeeper } from './net/bookKeeper.js';
import { httpDialer } from './net/dialer.js';
import { OwnNonces } from './net/handshake.js';
import { PeerBook } from './net/peerBook.js';
import type { PeerUrl } from './net/peerUrl.js';
import { Reception } from './net/reception.js';
import { Sessions } from './net/sessions.js';
import type { RunningNode } from './node.js';
import { ownUrlOf } from './ownUrl.js';
import { paceOf } from './pace.js';
import { lmdbKv } from './store/lmdbKv.js';
import { lockDirectory } from './store/lock.js';
import { systemClock } from './system/clock.js';
import { createLogger } from './system/logger.js';
import { systemRandom } from './system/random.js';

/**
 * Starts a directory server, the way into a network: it knows nodes, checks on a timer that they still answer, and tells
 * newcomers of them. It has no chain and answers the `node` router alone.
 */
export async function startDirectory(
  params: NetworkParams,
  input: z.input<typeof directoryConfig>,
): Promise<RunningNode> {
  const config = directoryConfig.parse(input);
  const { dataDir: directory } = config;
  const log = createLogger(config.name, config.logLevel);
  const [clock, random] = [systemClock, systemRandom];
  const life = new Lifecycle(log);
  const stop = (): Promise<void> => life.stop();
  try {
    const lock = await lockDirectory(directory);
    life.add('lock', { close: () => lock.release() });
    const token = await operatorToken(directory, random);
    const kv = life.add('store', lmdbKv({ directory: join(directory, 'book'), synced: true }));
    const dialer = life.add('dialer', httpDialer({ allowPrivate: config.allowPrivate, clock }));
    const { header } = genesisBlock(params);
    const genesis = header.hash;
    const tip = (): TipView => ({ height: header.height, hash: genesis, work: 0n });
    const book = new PeerBook({ kv, clock, random });
    const nonces = new OwnNonces(random);
    const sessions = new Sessions(random);
    const reception = new Reception({ genesis, tip, nonces, sessions, book, dialer, onConfirmed: () => {} });
    let ownUrl: PeerUrl | null = null;
    const node = {
      peer: createPeerApi({
        name: config.name,
        network: params.name,
        genesis,
        tip,
        ownUrl: () => ownUrl,
        signatureEngine: 'none',
        book,
        reception,
        nonces,
        heightOf: () => undefined,
        clock,
        stop: () => void stop(),
      }),
    };
    const callers = { sessions, clock, operatorToken: token, remoteOperator: config.remoteOperator };
    const server = life.add(
      'http',
      await listen({
        router: directoryRouter,
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
    const keeper = new BookKeeper({ genesis, book, dialer, clock, log, everyMs: paceOf(params).upkeepMs });
    life.add('book keeper', keeper).start();
    const url = ownUrl ?? `http://127.0.0.1:${server.port}`;
    log.info('directory started', { url, network: params.name, genesis });
    return { name: config.name, url, token, params, stop, stopped: life.stopped, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
