import * as z from 'zod';

/*
 * What nodes said to each other in version 1 of the protocol, frozen as release 0.1.0 had it: nothing here is imported
 * from the schemas of today, and nothing here is to be changed. A node of that release read its inputs and its peers'
 * answers strictly: a field too many was as bad as one too few.
 */

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const height = z.int().min(0).max(0xffff_ffff);
const count = z.int().min(0);
const time = z.int().min(0).max(8.64e15);
const base64 = z.base64();
const text = z.string().max(100);
const url = z.string().min(1).max(200);
const token = z.string().regex(/^[0-9a-f]{32}$/);
const tip = z.strictObject({
  height,
  hash,
  work: z
    .bigint()
    .min(0n)
    .max(2n ** 264n),
});
const nothing = z.undefined();
const knownNode = z.strictObject({ url, lastSeen: time.nullable(), connected: z.boolean(), height: height.nullable() });

/** Input and output of every procedure that a node of version 1 called on its peers. */
export const CONTRACT_1 = {
  'node.hello': {
    input: z.strictObject({
      protocol: z.literal(1),
      capabilities: z.array(text).max(32),
      genesis: hash,
      url: url.nullable(),
      nonce: token,
      tip,
      userAgent: text,
    }),
    output: z.strictObject({
      protocol: z.literal(1),
      capabilities: z.array(text).max(32),
      genesis: hash,
      tip,
      userAgent: text,
      session: token,
      confirmed: z.boolean(),
    }),
  },
  'node.confirm': { input: z.strictObject({ nonce: token }), output: z.strictObject({ mine: z.boolean() }) },
  'node.ping': { input: nothing, output: z.strictObject({ genesis: hash, tip, time }) },
  'node.list': { input: nothing, output: z.strictObject({ nodes: z.array(knownNode).max(100) }) },
  'block.headers': {
    input: z.strictObject({
      locator: z.array(hash).min(1).max(64),
      limit: z.int().min(1).max(2_000).default(2_000),
    }),
    output: z.strictObject({ headers: base64.max(245_336) }),
  },
  'block.range': {
    input: z.strictObject({
      from: z.union([height, hash, z.literal('last')]),
      count: z.int().min(1).max(128),
    }),
    output: z.strictObject({ blocks: z.array(base64).min(1).max(128) }),
  },
  'block.raw': {
    input: z.strictObject({ block: z.union([height, hash, z.literal('last')]) }),
    output: z.strictObject({ hash, raw: base64 }),
  },
  'block.announce': {
    input: z.strictObject({ header: base64.length(124) }),
    output: z.strictObject({ known: z.boolean() }),
  },
  'block.submit': {
    input: z.strictObject({ block: base64 }),
    output: z.strictObject({ hash, height, status: z.enum(['connected', 'side', 'known']) }),
  },
  'transaction.ids': {
    input: z.strictObject({ cursor: hash.optional() }),
    output: z.strictObject({ items: z.array(hash).max(1_000), next: hash.nullable() }),
  },
  'transaction.raw': {
    input: z.strictObject({ wtxids: z.array(hash).min(1).max(1_000) }),
    output: z.strictObject({ transactions: z.array(base64).max(1_000) }),
  },
  'transaction.announce': {
    input: z.strictObject({ wtxids: z.array(hash).min(1).max(1_000) }),
    output: z.strictObject({ wanted: count }),
  },
  'transaction.submit': {
    input: z.strictObject({ transaction: base64 }),
    output: z.strictObject({ txid: hash, wtxid: hash, fee: z.bigint(), size: count }),
  },
} as const;

/** The name of a procedure that nodes of version 1 called on each other. */
export type Path1 = keyof typeof CONTRACT_1;

/** Whether a path is one of those. */
export function isPath1(path: string): path is Path1 {
  return path in CONTRACT_1;
}
