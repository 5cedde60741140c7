import * as z from 'zod';
import { ByteWriter } from '../bytes/writer.js';
import { type Amount, MAX_AMOUNT, parseCoins } from '../model/amount.js';
import { MAX_HEIGHT } from '../model/height.js';
import { targetFromBits } from './target.js';

/** The most bytes a transaction may have. */
export const MAX_TRANSACTION_BYTES = 100_000;
/** The most bytes a block may have. */
export const MAX_BLOCK_BYTES = 2_000_000;
/** The most bytes a memo may have. */
export const MAX_MEMO_BYTES = 80;
/** A timestamp must be past the median of up to this many ancestors. */
export const MEDIAN_SPAN = 11;
/** A timestamp may be ahead of this clock by this much and one block interval. */
export const FUTURE_DRIFT_MS = 120_000;
/** A branch is stored when its work comes within this many blocks of the tip's. */
export const WORK_BUFFER_BLOCKS = 144;

/** Blocks a coinbase may have to ripen: far above any use, and low enough that no height it leads to is out of range. */
const MAX_MATURITY = 1_000_000;
const u32 = z.int().min(0).max(MAX_HEIGHT);
const amount = z.string().transform((text, context) => {
  const coins = parseCoins(text);
  if (coins !== undefined) return coins;
  context.addIssue({ code: 'custom', message: 'coins with at most eight decimals are expected, such as "1.5"' });
  return z.NEVER;
});

const upgrade = z.strictObject({ height: u32.min(1), version: z.int().min(2).max(255) });

/**
 * What a network is, as an operator writes it in a JSON file: amounts in coins, times in seconds. Frozen once read.
 */
export const networkFile = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
    blockIntervalSeconds: z.int().min(1).max(86_400),
    retarget: z.enum(['asert', 'none']),
    halfLifeIntervals: z.int().min(1).max(1_000_000),
    genesisBits: u32.refine((bits) => targetFromBits(bits) !== undefined, 'compact bits that spell a target'),
    reward: amount,
    halvingInterval: u32,
    coinbaseMaturity: u32.min(1).max(MAX_MATURITY),
    maxSupply: amount.refine((value) => value > 0n, 'a supply above 0'),
    minimumWork: z
      .string()
      .regex(/^(0|[1-9]\d{0,76})$/)
      .transform(BigInt),
    upgrades: z
      .array(upgrade)
      .max(64)
      .refine(
        (list) => list.every((entry, i) => isAfter(entry, list[i - 1])),
        'upgrades in rising order of height and version',
      ),
    nodePort: z.int().min(1).max(65_535),
  })
  .readonly();

/** A network file as it is written. */
export type NetworkFile = z.input<typeof networkFile>;

/** The rules and figures by which one network differs from another. */
export interface NetworkParams {
  readonly name: string;
  /** Ideal time between blocks, in milliseconds. */
  readonly blockInterval: number;
  readonly retarget: 'asert' | 'none';
  /** Being late by this many milliseconds doubles the target. */
  readonly halfLife: number;
  /** Target of genesis and block 1, in compact form, and the easiest target of all. */
  readonly genesisBits: number;
  readonly limit: bigint;
  /** New coins of each block of the first period. */
  readonly reward: Amount;
  /** The reward halves after this many blocks; 0: never. */
  readonly halvingInterval: number;
  /** A coinbase is spendable when this many blocks deep. */
  readonly coinbaseMaturity: number;
  readonly maxSupply: Amount;
  /** Branches of less work than this are not stored, however new the node is. */
  readonly minimumWork: bigint;
  /** Heights from which another header version is asked for. */
  readonly upgrades: readonly { readonly height: number; readonly version: number }[];
  /** The port a node listens on unless told otherwise. */
  readonly nodePort: number;
}

/** Reads a network file. Throws a `ZodError` that names each field that is wrong. */
export function parseNetwork(file: unknown): NetworkParams {
  const { blockIntervalSeconds, halfLifeIntervals, ...rest } = networkFile.parse(file);
  const blockInterval = blockIntervalSeconds * 1000;
  const limit = targetFromBits(rest.genesisBits);
  if (limit === undefined) throw new RangeError('genesisBits spell no target');
  const upgrades = Object.freeze(rest.upgrades.map((entry) => Object.freeze(entry)));
  return Object.freeze({ ...rest, upgrades, blockInterval, halfLife: halfLifeIntervals * blockInterval, limit });
}

/** The version headers must have at a height; transactions may have any version from 1 up to it. */
export function versionAt(params: NetworkParams, height: number): number {
  return params.upgrades.findLast((upgrade) => upgrade.height <= height)?.version ?? 1;
}

/**
 * Every parameter that decides which blocks are valid, in one canonical form: its digest stands in genesis, so networks
 * that differ in a rule have different genesis hashes and cannot mix. `upgrades` and `minimumWork` stay out: both must
 * be able to change while a network lives.
 */
export function encodeConsensusParams(params: NetworkParams): Uint8Array {
  return new ByteWriter()
    .sized(new TextEncoder().encode(params.name))
    .u64(params.blockInterval)
    .u8(params.retarget === 'asert' ? 1 : 0)
    .u64(params.halfLife)
    .u32(params.genesisBits)
    .varint(params.reward)
    .u32(params.halvingInterval)
    .u32(params.coinbaseMaturity)
    .varint(params.maxSupply)
    .u32(MAX_TRANSACTION_BYTES)
    .u32(MAX_BLOCK_BYTES)
    .u32(MAX_MEMO_BYTES)
    .u32(MEDIAN_SPAN)
    .u64(FUTURE_DRIFT_MS)
    .varint(MAX_AMOUNT)
    .finish();
}

function isAfter(entry: z.output<typeof upgrade>, before: z.output<typeof upgrade> | undefined): boolean {
  return before === undefined || (entry.height > before.height && entry.version > before.version);
}
