import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { type NetworkFile, parseNetwork, versionAt } from '../../../shared/consensus/params.js';
import { subsidyAt } from '../../../shared/consensus/subsidy.js';

const file: NetworkFile = {
  name: 'mine',
  blockIntervalSeconds: 10,
  retarget: 'asert',
  halfLifeIntervals: 288,
  genesisBits: 0x1f0fffff,
  reward: '1.5',
  halvingInterval: 0,
  coinbaseMaturity: 10,
  maxSupply: '90000000',
  minimumWork: '0',
  upgrades: [],
  nodePort: 42_000,
};

describe('network parameters', () => {
  test('the figures of the built-in networks', () => {
    const figures = Object.values(NETWORKS).map((params) => [
      params.name,
      params.blockInterval,
      params.retarget,
      params.genesisBits,
      params.reward,
      params.coinbaseMaturity,
      params.maxSupply,
      params.nodePort,
    ]);
    expect(figures).toEqual([
      ['main', 300_000, 'asert', 0x1e0fffff, 150_000_000n, 20, 9_000_000_000_000_000n, 42_021],
      ['test', 30_000, 'asert', 0x1f0fffff, 150_000_000n, 10, 9_000_000_000_000_000n, 42_121],
      ['dev', 1_000, 'none', 0x207fffff, 150_000_000n, 2, 9_000_000_000_000_000n, 42_221],
    ]);
  });

  test('they cannot be changed', () => {
    expect(Object.isFrozen(NETWORKS.main)).toBe(true);
    expect(Object.isFrozen(NETWORKS.main.upgrades)).toBe(true);
  });

  test.each<[string, Partial<Record<keyof NetworkFile, unknown>>]>([
    ['a name with a space', { name: 'my net' }],
    ['no interval', { blockIntervalSeconds: 0 }],
    ['a reward as a number', { reward: 1.5 }],
    ['a reward with nine decimals', { reward: '1.123456789' }],
    ['a supply of nothing', { maxSupply: '0' }],
    ['bits that spell no target', { genesisBits: 0 }],
    ['no maturity', { coinbaseMaturity: 0 }],
    [
      'upgrades that fall',
      {
        upgrades: [
          { height: 20, version: 2 },
          { height: 10, version: 3 },
        ],
      },
    ],
    ['an unknown retarget', { retarget: 'lwma' }],
    ['a field nobody knows', { extra: 1 } as never],
  ])('a file with %s is refused', (_what, change) => {
    expect(() => parseNetwork({ ...file, ...change })).toThrow();
  });

  test('every parameter that decides which blocks are valid is part of the identity', () => {
    const changes: Partial<NetworkFile>[] = [
      {},
      { name: 'other' },
      { blockIntervalSeconds: 11 },
      { retarget: 'none' },
      { halfLifeIntervals: 289 },
      { genesisBits: 0x1e0fffff },
      { reward: '1.4' },
      { halvingInterval: 100 },
      { coinbaseMaturity: 11 },
      { maxSupply: '90000001' },
    ];
    const hashes = changes.map((change) => genesisBlock(parseNetwork({ ...file, ...change })).header.hash);
    expect(new Set(hashes).size).toBe(changes.length);
  });

  test('what must be able to change while a network lives is not', () => {
    const plain = genesisBlock(parseNetwork(file)).header.hash;
    const later = parseNetwork({ ...file, upgrades: [{ height: 5, version: 2 }], minimumWork: '1000', nodePort: 1 });
    expect(genesisBlock(later).header.hash).toBe(plain);
  });

  test('an upgrade sets the version from its height on', () => {
    const params = parseNetwork({
      ...file,
      upgrades: [
        { height: 5, version: 2 },
        { height: 9, version: 4 },
      ],
    });
    expect([4, 5, 8, 9].map((height) => versionAt(params, height))).toEqual([1, 2, 2, 4]);
  });
});

describe('reward', () => {
  test('without halving it is the same until the supply is reached, and then what is left', () => {
    const params = parseNetwork({ ...file, maxSupply: '4' });
    expect([0, 1, 2, 3, 4].map((height) => subsidyAt(params, height))).toEqual([
      0n,
      150_000_000n,
      150_000_000n,
      100_000_000n,
      0n,
    ]);
  });

  test('all rewards together never pass the supply, whatever the schedule', () => {
    const schedule = fc.record({ halvingInterval: fc.nat(30), supply: fc.integer({ min: 1, max: 200 }) });
    fc.assert(
      fc.property(schedule, ({ halvingInterval, supply }) => {
        const params = parseNetwork({ ...file, halvingInterval, maxSupply: String(supply) });
        let sum = 0n;
        for (let height = 1; height < 300; height++) {
          const reward = subsidyAt(params, height);
          const period = halvingInterval === 0 ? 0 : Math.floor((height - 1) / halvingInterval);
          const scheduled = params.reward >> BigInt(period);
          const left = params.maxSupply - sum;
          expect(reward).toBe(scheduled < left ? scheduled : left);
          sum += reward;
        }
      }),
    );
  });
});
