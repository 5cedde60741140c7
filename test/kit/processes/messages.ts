import * as z from 'zod';
import { nodeConfig } from '../../../server/config.js';
import { parsePeerUrl } from '../../../server/net/peerUrl.js';
import type { NetworkParams } from '../../../shared/consensus/params.js';
import { amount, count, work } from '../../../shared/rpc/fields.js';

/** Parameters, amounts as bigints: the channel carries what a structured clone does. */
const params: z.ZodType<NetworkParams> = z.strictObject({
  name: z.string(),
  blockInterval: z.number(),
  retarget: z.enum(['asert', 'none']),
  halfLife: z.number(),
  genesisBits: count,
  limit: z.bigint(),
  reward: amount,
  halvingInterval: count,
  coinbaseMaturity: count,
  maxSupply: amount,
  minimumWork: work,
  upgrades: z.array(z.strictObject({ height: count, version: count })),
  nodePort: count,
});

const peerUrl = z.string().transform((text, context) => {
  const url = parsePeerUrl(text);
  if (url !== undefined) return url;
  context.addIssue({ code: 'custom', message: 'not scheme, host and port' });
  return z.NEVER;
});

/** What a gate holds back. */
const cuts = z.array(z.strictObject({ url: z.string(), out: z.boolean(), in: z.boolean() }));

/** The first that a node's process is told: what to be. */
export const startOrder = z.strictObject({ kind: z.literal('start'), params, config: nodeConfig, cuts });

/** What it is told while it runs. Each is answered by `done` with its number. */
export const order = z.discriminatedUnion('kind', [
  /** All that is cut from now on. */
  z.strictObject({ kind: z.literal('cut'), id: count, cuts }),
  /** Nodes to get in touch with now: by itself it would try again when its book says so, up to half a minute later. */
  z.strictObject({ kind: z.literal('meet'), id: count, urls: z.array(peerUrl) }),
]);

/** What a node's process tells its parent. */
export const report = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready'), url: z.string(), token: z.string() }),
  /** It could not start. The code is that of a reason of ours, if it has one. */
  z.strictObject({ kind: z.literal('failed'), code: z.string().nullable(), message: z.string() }),
  z.strictObject({ kind: z.literal('done'), id: count }),
]);

export type StartOrder = z.input<typeof startOrder>;
export type Order = z.input<typeof order>;
export type Report = z.output<typeof report>;
