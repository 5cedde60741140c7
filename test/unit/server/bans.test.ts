import { describe, expect, test } from 'vitest';
import { addressKey } from '../../../server/net/addressKey.js';
import { Bans, BY_OPERATOR, MAX_BANS } from '../../../server/net/bans.js';
import { banOn, whatToBan } from '../../../server/net/banTargets.js';
import { type PeerUrl, parsePeerUrl } from '../../../server/net/peerUrl.js';
import type { Kv } from '../../../server/store/kv.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { present } from '../../kit/assertOk.js';
import { recordingLog } from '../../support/recordingLog.js';

const HALF_AN_HOUR = 1_800_000;
const ADDRESS = '192.0.2.1';

/** Bans whose two clocks a test moves: the one on the wall, and the one that only goes forward. */
async function opened(kv: Kv = memoryKv(), wall = 1_000_000_000) {
  const time = { wall, tick: 0 };
  const bans = new Bans({ clock: { now: () => time.wall, monotonic: () => time.tick }, log: recordingLog() });
  await bans.keepIn(kv);
  const pass = (ms: number): void => {
    time.wall += ms;
    time.tick += ms;
  };
  return { bans, time, pass, kv };
}

describe('a ban', () => {
  test('ends by itself', async () => {
    const { bans, pass } = await opened();
    const { until } = bans.ban(ADDRESS, HALF_AN_HOUR, 'peer-protocol');
    pass(HALF_AN_HOUR - 1);
    expect(bans.find(ADDRESS)).toMatchObject({ until, why: 'peer-protocol' });
    pass(1);
    expect(bans.find(ADDRESS)).toBeUndefined();
    expect(bans.all()).toEqual([]);
  });

  test('is neither cut short nor drawn out by a clock that is set', async () => {
    const { bans, time, pass } = await opened();
    bans.ban(ADDRESS, HALF_AN_HOUR, BY_OPERATOR);
    time.wall += 10 * HALF_AN_HOUR;
    expect(bans.find(ADDRESS)).toBeDefined();
    time.wall -= 100 * HALF_AN_HOUR;
    pass(HALF_AN_HOUR);
    expect(bans.find(ADDRESS)).toBeUndefined();
  });

  test('outlives the process, and what is left of it does not grow by a clock set back', async () => {
    const { bans, kv } = await opened();
    bans.ban(ADDRESS, HALF_AN_HOUR, BY_OPERATOR);
    bans.ban('192.0.2.2', HALF_AN_HOUR / 2, 'peer-quota');
    await bans.close();
    const later = await opened(kv, 1_000_000_000 + HALF_AN_HOUR / 2);
    // One of minutes is not worth a write to the disk for each of a flood.
    expect(later.bans.all()).toMatchObject([{ target: ADDRESS, why: BY_OPERATOR }]);
    later.pass(HALF_AN_HOUR / 2);
    expect(later.bans.find(ADDRESS)).toBeUndefined();
    await later.bans.close();
    const { bans: again, kv: other } = await opened();
    again.ban(ADDRESS, HALF_AN_HOUR, BY_OPERATOR);
    await again.close();
    const before = await opened(other, 5_000);
    before.pass(HALF_AN_HOUR);
    expect(before.bans.find(ADDRESS)).toBeUndefined();
  });

  test('that is lifted or over leaves no row behind', async () => {
    const { bans, kv, pass } = await opened();
    bans.ban(ADDRESS, HALF_AN_HOUR, BY_OPERATOR);
    bans.ban('192.0.2.2', HALF_AN_HOUR, BY_OPERATOR);
    expect([bans.lift(ADDRESS), bans.lift(ADDRESS)]).toEqual([true, false]);
    pass(HALF_AN_HOUR);
    bans.all();
    await bans.close();
    expect([...kv.range({ gte: Uint8Array.of(0), lt: Uint8Array.of(0xff), limit: 10 })]).toEqual([]);
  });

  test('of the operator is not cut short by one of ours, and the operator may change it', async () => {
    const { bans } = await opened();
    const { until } = bans.ban(ADDRESS, 2 * HALF_AN_HOUR, BY_OPERATOR);
    expect(bans.ban(ADDRESS, 3 * HALF_AN_HOUR, 'block-root')).toMatchObject({ until, why: BY_OPERATOR });
    expect(bans.ban(ADDRESS, HALF_AN_HOUR, BY_OPERATOR).until).toBeLessThan(until);
  });

  test('is one of a bounded number: the first to end makes room, and the operator’s stay', async () => {
    const { bans } = await opened();
    bans.ban(ADDRESS, 1_000, BY_OPERATOR);
    for (let i = 0; i < 2 * MAX_BANS; i++) bans.ban(`http://192.0.2.3:${i + 1}`, 10_000 + i, 'peer-protocol');
    expect(bans.all()).toHaveLength(MAX_BANS);
    expect(bans.find(ADDRESS)).toBeDefined();
    expect(bans.find(`http://192.0.2.3:${2 * MAX_BANS}`)).toBeDefined();
    expect(bans.find('http://192.0.2.3:1')).toBeUndefined();
  });
});

describe('what a ban is on', () => {
  const url = (text: string): PeerUrl => present(parsePeerUrl(text));
  const session = (remoteAddress: string) => ({ token: '', url: 'http://node.example:80', remoteAddress });
  const nobody = (): boolean => false;

  test('a peer is banned by its URL and the addresses that are surely its own, and by no name’s addresses', () => {
    expect(whatToBan(url('http://192.0.2.1:80'), [], nobody)).toEqual(['http://192.0.2.1:80', '192.0.2.1']);
    expect(whatToBan(url('http://node.example'), [], nobody)).toEqual(['http://node.example:80']);
    expect(whatToBan(url('http://node.example'), [session('192.0.2.9'), session('192.0.2.9')], nobody)).toEqual([
      'http://node.example:80',
      '192.0.2.9',
    ]);
  });

  test('an address that many nodes share is not banned for one of them', () => {
    const isShared = (address: string): boolean => address === '127.0.0.1';
    expect(whatToBan(url('http://127.0.0.1:4000'), [session('127.0.0.1')], isShared)).toEqual([
      'http://127.0.0.1:4000',
    ]);
  });

  test('of IPv6 it is the network that one customer holds, in whatever spelling', () => {
    const spellings = ['2001:db8:1:2::1', '2001:DB8:1:2:ffff::', '2001:0db8:0001:0002:0:0:0:9', '2001:db8:1:2::9%eth0'];
    expect(new Set(spellings.map(addressKey))).toEqual(new Set(['2001:db8:1:2::/64']));
    expect(addressKey('::1')).toBe('0:0:0:0::/64');
    expect(addressKey('2001:db8::')).toBe('2001:db8:0:0::/64');
    expect([addressKey('::ffff:192.0.2.1'), addressKey('192.0.2.1'), addressKey('')]).toEqual([
      '192.0.2.1',
      '192.0.2.1',
      '',
    ]);
  });

  test('it is found by URL, by the address in a URL and by the address of a caller', async () => {
    const { bans } = await opened();
    bans.ban('192.0.2.1', 1_000, BY_OPERATOR);
    bans.ban('2001:db8:1:2::/64', 1_000, BY_OPERATOR);
    bans.ban('http://node.example:80', 1_000, BY_OPERATOR);
    expect(banOn(bans, 'http://192.0.2.1:4000')).toBeDefined();
    expect(banOn(bans, 'http://[2001:db8:1:2::7]:4000')).toBeDefined();
    expect(banOn(bans, 'http://node.example:80')).toBeDefined();
    expect(banOn(bans, null, '2001:db8:1:2::8')).toBeDefined();
    expect(banOn(bans, 'http://node.example:81', '192.0.2.2')).toBeUndefined();
    expect(banOn(bans, 'nonsense')).toBeUndefined();
  });
});
