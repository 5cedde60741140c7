import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../shared/bytes/hex.js';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import { isNetworkName, NETWORKS } from '../../../shared/consensus/networks.js';
import {
  encodeConsensusParams,
  type NetworkFile,
  networkFile,
  parseNetwork,
  versionAt,
} from '../../../shared/consensus/params.js';
import { subsidyAt } from '../../../shared/consensus/subsidy.js';
import { MAX_HEIGHT } from '../../../shared/model/height.js';

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

  test('they are found by their own names and no others', () => {
    expect(['main', 'test', 'dev', 'other', 'toString', ''].filter(isNetworkName)).toEqual(['main', 'test', 'dev']);
  });

  test('they cannot be changed', () => {
    expect(Object.isFrozen(NETWORKS.main)).toBe(true);
    expect(Object.isFrozen(NETWORKS.main.upgrades)).toBe(true);
    const { upgrades } = parseNetwork({ ...file, upgrades: [{ height: 5, version: 2 }] });
    expect(upgrades.map((entry) => Object.isFrozen(entry))).toEqual([true]);
    expect(Object.isFrozen(networkFile.parse(file))).toBe(true);
  });

  test('a file in coins and seconds becomes base units and milliseconds', () => {
    const upgrades = [{ height: 5, version: 2 }];
    expect(parseNetwork({ ...file, minimumWork: '1000', upgrades })).toEqual({
      name: 'mine',
      blockInterval: 10_000,
      retarget: 'asert',
      halfLife: 2_880_000,
      genesisBits: 0x1f0fffff,
      limit: 0x0fffffn << 224n,
      reward: 150_000_000n,
      halvingInterval: 0,
      coinbaseMaturity: 10,
      maxSupply: 9_000_000_000_000_000n,
      minimumWork: 1000n,
      upgrades,
      nodePort: 42_000,
    });
  });

  const rising = (count: number) => Array.from({ length: count }, (_, i) => ({ height: i + 1, version: i + 2 }));

  test.each<[keyof NetworkFile, readonly unknown[], readonly unknown[]]>([
    ['name', ['a', 'a-0', 'z'.repeat(32)], ['', 'z'.repeat(33), '0a', '-a', 'a_', 'A', 'aB', 'a\n']],
    ['blockIntervalSeconds', [1, 86_400], [0, 86_401, 1.5]],
    ['halfLifeIntervals', [1, 1_000_000], [0, 1_000_001]],
    ['genesisBits', [0x207fffff, 0x01010000, 0x2100ffff], [-1, 0x2100ffff + 0x10000, 2 ** 32]],
    ['reward', ['0', '0.00000001', '90071992.54740991'], ['-1', '90071992.54740992', '']],
    ['halvingInterval', [0, 0xffff_ffff], [-1, 0x1_0000_0000]],
    ['coinbaseMaturity', [1, 1_000_000], [0, 1_000_001]],
    ['maxSupply', ['0.00000001', '90071992.54740991'], ['0', '90071992.54740992']],
    ['minimumWork', ['0', '1', '10', '9'.repeat(77)], ['', '00', '01', '-1', '1.5', '0x1', '1 ', '9'.repeat(78)]],
    ['nodePort', [1, 65_535], [0, 65_536]],
    [
      'upgrades',
      [[], [{ height: 1, version: 2 }], [{ height: 0xffff_ffff, version: 255 }], rising(64)],
      [
        [{ height: 0, version: 2 }],
        [{ height: 1, version: 1 }],
        [{ height: 1, version: 256 }],
        [{ height: 0x1_0000_0000, version: 2 }],
        [...rising(2), { height: 2, version: 9 }],
        [...rising(2), { height: 9, version: 3 }],
        [...rising(2), { height: 1, version: 4 }, { height: 3, version: 5 }],
        [{ height: 1, version: 2, name: 'two' }],
        rising(65),
      ],
    ],
  ])('%s is held to its bounds', (field, good, bad) => {
    for (const value of good) expect(() => parseNetwork({ ...file, [field]: value }), `${value}`).not.toThrow();
    for (const value of bad) {
      const { error } = networkFile.safeParse({ ...file, [field]: value });
      expect(
        error?.issues.map(({ path }) => path[0]),
        `${value}`,
      ).toContain(field);
    }
  });

  test('what is no number of coins is told so, and nothing else is', () => {
    const { error } = networkFile.safeParse({ ...file, reward: 'much' });
    expect(error?.issues.map(({ path, message }) => [path, message])).toEqual([
      [['reward'], 'coins with at most eight decimals are expected, such as "1.5"'],
    ]);
  });

  test('the encoding of the consensus parameters is frozen', () => {
    expect(toHex(encodeConsensusParams(NETWORKS.main))).toBe(
      [
        '046d61696e', // name
        'e093040000000000', // block interval
        '01', // ASERT
        '005c260500000000', // half-life
        'ffff0f1e', // bits
        '80a3c347', // reward
        '00000000', // halving
        '14000000', // maturity
        '8080ead7bcaefe0f', // supply
        'a0860100', // bytes of a transaction
        '80841e00', // bytes of a block
        '50000000', // bytes of a memo
        '0b000000', // median
        'c0d4010000000000', // drift
        'ffffffffffffff0f', // largest amount
      ].join(''),
    );
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

  test('it is found at once at the greatest height, however often it has halved', () => {
    const params = parseNetwork({ ...file, halvingInterval: 1 });
    expect(subsidyAt(params, MAX_HEIGHT)).toBe(0n);
    expect(subsidyAt(params, 28)).toBe(1n);
    expect(subsidyAt(params, 29)).toBe(0n);
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
