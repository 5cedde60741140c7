import { genesisBlock } from '../shared/consensus/genesis.js';
import { DIRECTORY_PORT } from '../shared/consensus/networks.js';
import type { NetworkParams } from '../shared/consensus/params.js';
import { directoryRouter } from '../shared/rpc/router.js';
import type { TipView } from '../shared/rpc/views.js';
import { createPeerApi } from './api/peerApi.js';
import { type DirectoryConfigInput, directoryConfig, parseConfig } from './config.js';
import { launch, type RunningServer, type ServerPorts } from './launch.js';
import { banOn } from './net/banTargets.js';
import { BookKeeper, DIRECTORY_CARE } from './net/bookKeeper.js';
import { OwnNonces } from './net/handshake.js';
import { PeerBook } from './net/peerBook.js';
import type { PeerUrl } from './net/peerUrl.js';
import { Reception } from './net/reception.js';
import { paceOf } from './pace.js';

/**
 * Starts a directory server, the way into a network: it knows nodes, checks on a timer that they still answer, and tells
 * newcomers of them. It has no chain and answers the `node` router alone.
 */
export function startDirectory(
  params: NetworkParams,
  input: DirectoryConfigInput,
  ports: Partial<ServerPorts> = {},
): Promise<RunningServer> {
  const config = parseConfig(directoryConfig, input);
  return launch({
    params,
    config,
    defaultPort: DIRECTORY_PORT,
    ports,
    async build({ life, log, clock, random, dialer, sessions, bans, allowPrivate, ownUrl, openStore }) {
      const { signal } = life;
      // Nodes say hello again and again: a book that is lost fills itself.
      const kv = await openStore('book', { synced: true, expendable: true, given: ports.kv });
      const { header } = genesisBlock(params);
      life.add('bans', bans);
      await bans.keepIn(kv);
      const genesis = header.hash;
      const tip = (): TipView => ({ height: header.height, hash: genesis, work: 0n });
      const book = new PeerBook({ kv, clock, random, allowPrivate });
      const nonces = new OwnNonces(random);
      const reception = new Reception({ genesis, tip, nonces, sessions, book, dialer, bans, onConfirmed: () => {} });
      const everyMs = paceOf(params).upkeepMs;
      const exclude = (url: PeerUrl): boolean => url === ownUrl() || banOn(bans, url) !== undefined;
      const known = { genesis, book, dialer, clock, random, log, signal };
      // A directory has no peers: it cannot tell whether the fault is its own.
      const isAlone = (): boolean => false;
      const checks = { ...known, care: DIRECTORY_CARE, everyMs, isAlone, exclude };
      const keeper = life.add('book keeper', new BookKeeper(checks));
      const peer = createPeerApi({
        ...{ name: config.name, network: params.name, genesis, tip, ownUrl, book, reception, nonces, clock },
        signatureEngine: 'none',
        peers: null,
        bans,
        heightOf: () => undefined,
        stop: () => void life.stop(),
      });
      return {
        router: directoryRouter,
        context: { node: { peer } },
        start: () => keeper.start(),
        facts: { genesis },
        shown: {},
      };
    },
  });
}
