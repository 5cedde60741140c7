import * as z from 'zod';
import { parseBase64 } from '../bytes/base64.js';
import { type Address, type ChecksumAddress, parseAddress } from '../model/address.js';
import { type Amount, MAX_AMOUNT } from '../model/amount.js';
import { type Height, MAX_HEIGHT } from '../model/height.js';
import type { BlockHash, Id, TxId, Wtxid } from '../model/ids.js';
import { MAX_OUTPUT_INDEX } from '../model/outpoint.js';
import { MAX_TIMESTAMP } from '../model/timestamp.js';

/** What a schema checks decides the type it hands on: this is where strings and numbers from outside get their brand. */
function branded<Brand extends Wide, Wide>(schema: z.ZodType<Wide, Wide>): z.ZodType<Brand, Wide> {
  return schema as z.ZodType<Brand, Wide>;
}

function id<Kind extends Id>(name: string): z.ZodType<Kind, string> {
  return branded<Kind, string>(z.string().regex(/^[0-9a-f]{64}$/, `a ${name} is 64 lower-case hex digits`));
}

/** The id of a transaction, signatures aside. */
export const txid = id<TxId>('txid');
/** The id of a transaction in one signed form. */
export const wtxid = id<Wtxid>('wtxid');
/** The id of a block. */
export const blockHash = id<BlockHash>('block hash');

/** 32 bytes that are no id: a Merkle root, a target. */
export const hex32 = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits are expected');
/** Any bytes, as lower-case hex. */
export const hex = z.string().regex(/^(?:[0-9a-f]{2})*$/, 'an even number of lower-case hex digits is expected');

/** An address that somebody typed. */
export const addressInput = z.string().transform((text, context): Address => {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  context.addIssue({ code: 'custom', message: 'an address is 0x and 40 hex digits, with a right checksum or none' });
  return z.NEVER;
});
/** An address as it is shown. */
export const address = branded<ChecksumAddress, string>(z.string().regex(/^0x[0-9a-fA-F]{40}$/));

/** Money in base units. */
export const amount = branded<Amount, bigint>(z.bigint().min(0n).max(MAX_AMOUNT));
/** The number of a block on its branch; genesis is 0. */
export const height = branded<Height, number>(z.int().min(0).max(MAX_HEIGHT));
/** Milliseconds since 1970. */
export const timestamp = z.int().min(0).max(MAX_TIMESTAMP);
/** A u64. */
export const nonce = z.bigint().min(0n).max(0xffff_ffff_ffff_ffffn);
/** The position of an output. */
export const outputIndex = z.int().min(0).max(MAX_OUTPUT_INDEX);
/** How many. */
export const count = z.int().min(0);
/** Work and targets: up to 256 bits and a little room for sums. */
export const work = z
  .bigint()
  .min(0n)
  .max(2n ** 264n);

/** Which block: its height on the active chain, its hash, or `"last"`. */
export const bid = z.union([height, blockHash, z.literal('last')]);
/** A block, as a caller names it. */
export type Bid = z.output<typeof bid>;
/** Which transaction of a block: its position or its id. */
export const tid = z.union([count, txid]);
/** A transaction of a block, as a caller names it. */
export type Tid = z.output<typeof tid>;

/**
 * Bytes of a codec of ours, on the wire as one base64 string (superjson spells a megabyte of `Uint8Array` in 3.7
 * million characters). The limit is in bytes, and is held before anything is decoded.
 */
export function encoded(maxBytes: number): z.ZodType<Uint8Array, string> {
  return z
    .string()
    .max(Math.ceil(maxBytes / 3) * 4)
    .transform((text, context): Uint8Array => {
      const bytes = parseBase64(text);
      if (bytes !== undefined) return bytes;
      context.addIssue({ code: 'custom', message: 'standard base64 is expected' });
      return z.NEVER;
    });
}
/** The same on its way out: the server writes the string, the client of a peer reads bytes from it. */
export const base64 = z.base64();

const CURSOR = z.string().min(1).max(256);
/** How many items a page may have. */
export const MAX_PAGE = 100;

/** Asks for one page of a list: the first, or the one that follows `cursor`. */
export const pageInput = { cursor: CURSOR.optional(), limit: z.int().min(1).max(MAX_PAGE).default(50) };
/** What a page is asked for with. */
export type PageInput = { cursor?: string | undefined; limit: number };

/** One page of a list. */
export function page<Item extends z.ZodType>(item: Item) {
  return z.strictObject({
    items: z.array(item).max(MAX_PAGE),
    /** Ask for the page after this one with it; `null` on the last. */
    next: CURSOR.nullable(),
  });
}
/** A page as handlers make it. */
export interface Page<Item> {
  items: Item[];
  next: string | null;
}

/** No input at all: anything sent is refused, as unknown fields are elsewhere. */
export const nothing = z.undefined();
