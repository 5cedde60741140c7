import type { NetworkFile } from '../../../shared/consensus/params.js';
import { join, little, MAX_VALUE, text, varint } from './bytes.js';
import { tagged } from './hashes.js';
import { type Block, decodeBlock, decodeTransaction, encodeHeader, encodeTransaction, rootOf } from './model.js';

/** The figures of a network, in base units and milliseconds. */
export interface Network {
  readonly name: string;
  readonly interval: bigint;
  readonly retarget: 'asert' | 'none';
  readonly halfLife: bigint;
  readonly genesisBits: number;
  readonly reward: bigint;
  readonly halving: number;
  readonly maturity: number;
  readonly maxSupply: bigint;
  readonly minimumWork: bigint;
  readonly upgrades: readonly { readonly height: number; readonly version: number }[];
}

/** A network file read as docs/PROTOCOL.md has it. */
export function networkOf(file: NetworkFile): Network {
  const interval = BigInt(file.blockIntervalSeconds) * 1000n;
  return {
    name: file.name,
    interval,
    retarget: file.retarget,
    halfLife: BigInt(file.halfLifeIntervals) * interval,
    genesisBits: file.genesisBits,
    reward: unitsOf(file.reward),
    halving: file.halvingInterval,
    maturity: file.coinbaseMaturity,
    maxSupply: unitsOf(file.maxSupply),
    minimumWork: BigInt(file.minimumWork),
    upgrades: file.upgrades,
  };
}

/** Coins in text as base units. */
function unitsOf(coins: string): bigint {
  const [whole = '', fraction = ''] = coins.split('.');
  return BigInt(whole + fraction.padEnd(8, '0'));
}

/** Coins as text, for a network file. */
export function coinsOf(units: bigint): string {
  return `${units / 100_000_000n}.${String(units % 100_000_000n).padStart(8, '0')}`;
}

/** The version of headers at a height, and the highest of transactions. */
export function versionAt(network: Network, height: number): number {
  return network.upgrades.filter((upgrade) => upgrade.height <= height).at(-1)?.version ?? 1;
}

/** What the coinbase of a block may make, fees aside. Adds up every block before it. */
export function rewardAt(network: Network, height: number): bigint {
  let left = network.maxSupply;
  for (let lower = 1; lower < height; lower++) left -= scheduledAt(network, lower);
  const scheduled = scheduledAt(network, height);
  if (left < 0n) return 0n;
  return scheduled < left ? scheduled : left;
}

function scheduledAt({ reward, halving }: Network, height: number): bigint {
  return halving === 0 ? reward : reward >> BigInt(Math.floor((height - 1) / halving));
}

/** Block 0. */
export function genesisOf(network: Network): Block {
  const name = text(network.name);
  const parameters = join(
    varint(name.length),
    name,
    little(network.interval, 8),
    little(network.retarget === 'asert' ? 1 : 0, 1),
    little(network.halfLife, 8),
    little(network.genesisBits, 4),
    varint(network.reward),
    little(network.halving, 4),
    little(network.maturity, 4),
    varint(network.maxSupply),
    little(100_000, 4),
    little(2_000_000, 4),
    little(80, 4),
    little(11, 4),
    little(120_000, 8),
    varint(MAX_VALUE),
  );
  const digest = tagged('trestle/params', parameters);
  const coinbase = encodeTransaction({
    version: 1,
    kind: 'coinbase',
    timestamp: 0n,
    inputs: [],
    height: 0,
    extra: join(Uint8Array.of(0, digest.length), digest),
    outputs: [],
    memo: new Uint8Array(0),
    signatures: [],
  });
  const decoded = decodeTransaction(coinbase);
  if (decoded === undefined) throw new Error('the coinbase of genesis does not decode');
  const header = encodeHeader({
    version: 1,
    height: 0,
    previous: '00'.repeat(32),
    merkleRoot: rootOf([decoded]),
    timestamp: 0,
    bits: network.genesisBits,
    nonce: 0n,
  });
  const genesis = decodeBlock(join(header, varint(1), coinbase));
  if (genesis === undefined) throw new Error('genesis does not decode');
  return genesis;
}
