import { reasonOf } from '../../client/failure.js';
import { createPeerClient } from '../../client/peerClient.js';
import { Admission } from '../../server/http/admission.js';
import { Bans } from '../../server/net/bans.js';
import { httpDialer } from '../../server/net/dialer.js';
import { OwnNonces } from '../../server/net/handshake.js';
import { PeerBook } from '../../server/net/peerBook.js';
import { Reception } from '../../server/net/reception.js';
import { Sessions } from '../../server/net/sessions.js';
import { memoryKv } from '../../server/store/memoryKv.js';
import { systemClock } from '../../server/system/clock.js';
import { systemRandom } from '../../server/system/random.js';
import { genesisBlock } from '../../shared/consensus/genesis.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { toHeight } from '../../shared/model/height.js';
import type { PeerFailure, Reason } from '../../shared/reasons.js';
import { type HelloInput, OLDEST_PROTOCOL, PROTOCOL_VERSION } from '../../shared/rpc/nodeSchemas.js';
import type { TipView } from '../../shared/rpc/views.js';
import { closedUrl } from '../support/closedUrl.js';
import { failureFrom } from '../support/failureFrom.js';
import { recordingLog } from '../support/recordingLog.js';

const genesis = genesisBlock(NETWORKS.dev).header.hash;
const tip = (): TipView => ({ height: toHeight(0), hash: genesis, work: 0n });

/** Whom that reception does not let in. */
const BANNED = 'http://192.0.2.1:80';

/** A reception as a node has it, and a hello that it would welcome. */
async function greet(change: Partial<HelloInput>, ownNonce = false): Promise<Reason> {
  const random = systemRandom;
  const nonces = new OwnNonces(random);
  const dialer = httpDialer({ allowPrivate: true, clock: systemClock, signal: new AbortController().signal });
  const book = new PeerBook({ kv: memoryKv(), clock: systemClock, random });
  const sessions = new Sessions(random);
  const bans = new Bans({ clock: systemClock, log: recordingLog() });
  bans.ban(BANNED, 60_000, 'operator');
  const reception = new Reception({ genesis, tip, nonces, sessions, book, dialer, bans, onConfirmed: () => {} });
  const caller = { remoteAddress: '127.0.0.1', operator: false, session: null };
  try {
    return await nonces.during((own) => {
      const nonce = ownNonce ? own : '00'.repeat(16);
      const hello = {
        protocol: PROTOCOL_VERSION,
        capabilities: [],
        genesis,
        url: null,
        nonce,
        tip: tip(),
        userAgent: 'test',
      };
      return failureFrom(reception.hello({ ...hello, ...change }, caller));
    });
  } finally {
    await dialer.close();
  }
}

/** For each failure of peers, an encounter that ends in it. */
export const peerCases: Record<PeerFailure['code'], () => Promise<Reason | null>> = {
  'peer-network': () => greet({ genesis: genesisBlock(NETWORKS.main).header.hash }),
  'peer-version': () => greet({ protocol: OLDEST_PROTOCOL - 1 }),
  'peer-self': () => greet({}, true),
  'peer-unreachable': async () => greet({ url: await closedUrl() }),
  'peer-address': () => greet({ url: 'http://127.0.0.1:80/some/path' }),
  'peer-banned': () => greet({ url: BANNED }),
  'peer-quota': () => {
    const caller = { remoteAddress: '192.0.2.2', operator: false, session: null };
    const bans = new Bans({ clock: systemClock, log: recordingLog() });
    const isNot = (): boolean => false;
    const clock = { monotonic: () => 0 };
    const door = new Admission({ bans, clock, callerOf: () => caller, isExempt: isNot, isShared: isNot });
    const call = { remoteAddress: caller.remoteAddress, authorization: undefined, session: undefined };
    for (;;) {
      const refused = door.refusalOf(call, 'block.range');
      if (refused !== undefined) return Promise.resolve(refused.reason);
    }
  },
  'peer-protocol': async () => {
    const fetch = async () => Response.json({ result: { data: { json: { height: 'NaN' } } } });
    const client = createPeerClient({
      url: 'http://peer',
      fetch,
      timeoutMs: 1_000,
      after: systemClock.after,
      session: () => undefined,
    });
    return client.node.ping.query().then(() => null, reasonOf);
  },
};
