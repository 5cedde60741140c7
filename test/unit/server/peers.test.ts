import { afterEach, describe, expect, test } from 'vitest';
import { createPeerClient } from '../../../client/peerClient.js';
import { Bans } from '../../../server/net/bans.js';
import type { Dialer } from '../../../server/net/dialer.js';
import { Greeter } from '../../../server/net/greeter.js';
import { OwnNonces } from '../../../server/net/handshake.js';
import { PeerBook } from '../../../server/net/peerBook.js';
import { Peers } from '../../../server/net/peers.js';
import { type PeerUrl, parsePeerUrl } from '../../../server/net/peerUrl.js';
import { Sessions } from '../../../server/net/sessions.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { systemRandom } from '../../../server/system/random.js';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { TrestleError } from '../../../shared/errors.js';
import { toHeight } from '../../../shared/model/height.js';
import type { Reason } from '../../../shared/reasons.js';
import { PROTOCOL_VERSION } from '../../../shared/rpc/nodeSchemas.js';
import { transformer } from '../../../shared/rpc/transformer.js';
import { present } from '../../kit/assertOk.js';
import { recordingLog } from '../../support/recordingLog.js';

const { hash: genesis } = genesisBlock(NETWORKS.dev).header;
const tip = { height: toHeight(0), hash: genesis, work: 0n };
const LIE: Reason = { code: 'peer-protocol', url: '', detail: '' };
const FORGED: Reason = { code: 'tx-signature-invalid', signature: 0 };
const SLOW = new TrestleError({ code: 'timeout', limitMs: 1 });

const url = (text: string): PeerUrl => present(parsePeerUrl(text));
const ending: AbortController[] = [];
afterEach(() => {
  for (const end of ending.splice(0)) end.abort();
});

/** Peers that greet whoever answers every hello, over a clock that a test moves. */
function setUp(isShared: (address: string) => boolean = () => false) {
  const end = new AbortController();
  ending.push(end);
  const time = { tick: 0 };
  const clock = { now: () => time.tick, monotonic: () => time.tick };
  const log = recordingLog();
  const answer = { protocol: PROTOCOL_VERSION, capabilities: [], genesis, tip, userAgent: 'fake', confirmed: true };
  const greeting = { result: { data: transformer.serialize({ ...answer, session: '00'.repeat(16) }) } };
  const dialer: Dialer = {
    dial: (at) =>
      createPeerClient({
        ...{ url: at, timeoutMs: 1_000, after: () => () => {}, session: () => undefined },
        fetch: async () => Response.json(greeting),
      }),
    resolve: async () => [],
    close: async () => {},
  };
  const random = systemRandom;
  const book = new PeerBook({ kv: memoryKv(), clock, random });
  const bans = new Bans({ clock, log });
  const sessions = new Sessions(random);
  const greeter = new Greeter({ genesis, tip: () => tip, ownUrl: () => null, dialer, nonces: new OwnNonces(random) });
  const common = { book, greeter, sessions, bans, isShared, clock, log, ownUrl: () => null };
  const peers = new Peers({ ...common, signal: end.signal });
  const meet = async (at: PeerUrl) => {
    peers.meet(at);
    await peers.close();
    return peers.get(at);
  };
  const connect = async (at: PeerUrl) => {
    await peers.connect(at, true);
    return present(peers.get(at));
  };
  return { peers, bans, sessions, time, meet, connect };
}

describe('a peer', () => {
  const liar = url('http://192.0.2.1:4000');

  test('that lies is left, and met again is banned at the third time: its score outlives the session', async () => {
    const { peers, bans, connect } = setUp();
    for (let i = 0; i < 3; i++) {
      expect(bans.find(liar)).toBeUndefined();
      peers.charge(await connect(liar), LIE);
      expect(peers.get(liar)).toBeUndefined();
    }
    expect(bans.all().map(({ target }) => target)).toEqual(expect.arrayContaining([liar, '192.0.2.1']));
    await peers.connect(liar, true);
    expect(peers.get(liar)).toBeUndefined();
  });

  test('that sends what no honest node sends is banned at once, with its sessions and whoever shares its address', async () => {
    const { peers, bans, sessions, connect } = setUp();
    const neighbour = await connect(url('http://192.0.2.1:5000'));
    const other = await connect(url('http://192.0.2.2:4000'));
    const { token } = sessions.open(liar, '192.0.2.77');
    const heard: unknown[] = [];
    peers.events.on('banned', (event) => heard.push(event));
    peers.charge(await connect(liar), FORGED);
    expect(heard).toEqual([{ url: liar, why: FORGED.code }]);
    expect(sessions.find(token, '192.0.2.77')).toBeNull();
    expect(bans.find('192.0.2.77')).toBeDefined();
    expect([peers.get(liar), peers.get(neighbour.url)]).toEqual([undefined, undefined]);
    expect(peers.get(other.url)).toBe(other);
  });

  test('at an address that many nodes share is banned by its URL alone', async () => {
    const { peers, bans, connect } = setUp(() => true);
    const neighbour = await connect(url('http://192.0.2.1:5000'));
    peers.charge(await connect(liar), FORGED);
    expect(bans.all()).toMatchObject([{ target: liar }]);
    expect(peers.get(neighbour.url)).toBe(neighbour);
  });

  test('that calls what we sent it bad proves nothing: it is not banned for its word', async () => {
    const { peers, bans, connect } = setUp();
    const peer = await connect(liar);
    for (let i = 0; i < 20; i++) {
      const again = peers.get(liar) ?? (await connect(liar));
      await peers.ask(again, () => Promise.reject(new TrestleError(FORGED)));
    }
    expect(peer.missed).toBeGreaterThan(0);
    expect(bans.all()).toEqual([]);
  });

  test('that answers pings and hangs at all else is left, and not banned', async () => {
    const { peers, bans, time, connect } = setUp();
    const peer = await connect(liar);
    let hung = 0;
    for (; peers.get(liar) === peer && hung < 20; hung++) {
      await peers.ask(peer, () => Promise.resolve());
      await peers.ask(peer, () => Promise.reject(SLOW));
      time.tick += 10_000;
    }
    expect(hung).toBeLessThanOrEqual(5);
    expect(bans.all()).toEqual([]);
  });

  test('that misses one call now and then is kept', async () => {
    const { peers, time, connect } = setUp();
    const peer = await connect(liar);
    for (let i = 0; i < 100; i++) {
      await peers.ask(peer, () => Promise.reject(SLOW));
      await peers.ask(peer, () => Promise.resolve());
      time.tick += 600_000;
    }
    expect(peers.get(liar)).toBe(peer);
  });

  test('is charged once for calls that fail together after it was left', async () => {
    const { peers, bans, connect } = setUp();
    const peer = await connect(liar);
    for (let i = 0; i < 10; i++) peers.charge(peer, LIE);
    expect([peers.get(liar), bans.all().length]).toEqual([undefined, 0]);
  });
});

describe('those that seek us', () => {
  test('of one network hold few places', async () => {
    const { peers, meet } = setUp();
    for (let i = 0; i < 20; i++) await meet(url(`http://30.1.2.${i + 1}:4000`));
    expect(peers.all()).toHaveLength(6);
    expect(await meet(url('http://30.2.0.1:4000'))).toBeDefined();
  });

  test('take the place of the youngest where there is none, and never that of a useful one', async () => {
    const { peers, meet, time } = setUp();
    const first = [];
    for (let i = 0; i < 24; i++) {
      time.tick += 1_000;
      first.push(present(await meet(url(`http://30.${i}.0.1:4000`))));
    }
    const useful = present(first.at(-1));
    peers.brought(useful);
    for (let i = 0; i < 100; i++) {
      time.tick += 1_000;
      expect(await meet(url(`http://31.${i}.0.1:4000`))).toBeDefined();
    }
    expect(peers.all()).toHaveLength(24);
    expect(peers.get(useful.url)).toBe(useful);
    for (const old of first.slice(0, 10)) expect(peers.get(old.url)).toBe(old);
  });

  test('and are banned are not met', async () => {
    const { bans, meet } = setUp();
    bans.ban('192.0.2.1', 1_000, 'operator');
    expect(await meet(url('http://192.0.2.1:4000'))).toBeUndefined();
  });
});
