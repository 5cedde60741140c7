import * as z from 'zod';
import { blockHash, count, height, hex, timestamp } from './fields.js';
import type { Caller } from './trpc.js';
import { tipView } from './views.js';

/** The version of the calls between nodes. */
export const PROTOCOL_VERSION = 2;
/** The oldest version that this software still speaks: with a node that is older there is nothing to talk about. */
export const OLDEST_PROTOCOL = 1;
/** How many URLs one answer may hold. */
export const MAX_NODES = 100;
const MAX_URL = 200;

const url = z.string().min(1).max(MAX_URL);
const text = z.string().max(100);
const nonce = hex.length(32);
/** The name of a contract: `fingerprintOf` its router. Nodes that show different ones may still be neighbours. */
const fingerprint = hex.length(16);

export const selfOutput = z.strictObject({
  name: text,
  userAgent: text,
  protocol: count,
  contract: fingerprint,
  capabilities: z.array(text).max(32),
  network: text,
  genesis: blockHash,
  /** Where peers reach this node; `null` where they do not. */
  url: url.nullable(),
  tip: tipView,
  startedAt: timestamp,
  /** Which implementation checks signatures. */
  signatureEngine: text,
});
/** What a node tells of itself. */
export type SelfView = z.output<typeof selfOutput>;

const knownNode = z.strictObject({
  url,
  /** When it last answered. */
  lastSeen: timestamp.nullable(),
  /** Whether there is a session with it now, and how high it was then. */
  connected: z.boolean(),
  height: height.nullable(),
});
/** A node that another one knows. */
export type KnownNode = z.output<typeof knownNode>;

export const listOutput = z.strictObject({ nodes: z.array(knownNode).max(MAX_NODES) });
export const randomInput = z.strictObject({ count: z.int().min(1).max(32).default(1) });
export const randomOutput = z.strictObject({ urls: z.array(url).max(32) });
export const pingOutput = z.strictObject({ genesis: blockHash, tip: tipView, time: timestamp });

/** Read leniently, alone of all inputs: a caller of a later version may say more of itself than we know to ask. */
export const helloInput = z.object({
  /** The newest version that the caller speaks. Version 1 was read strictly: to such a node nothing more may be said. */
  protocol: count,
  /** Since version 2. */
  contract: fingerprint.optional(),
  capabilities: z.array(text).max(32),
  genesis: blockHash,
  /** Where the caller can be reached, if anywhere. */
  url: url.nullable(),
  /** Made anew for each hello; whoever hears its own is talking to itself. */
  nonce,
  tip: tipView,
  userAgent: text,
});
/** What a caller tells of itself when it opens a session. */
export type HelloInput = z.output<typeof helloInput>;
export const helloOutput = z.strictObject({
  /** The version that both go on in: the older one of the two. */
  protocol: count,
  /** Since version 2. */
  contract: fingerprint.optional(),
  capabilities: z.array(text).max(32),
  genesis: blockHash,
  tip: tipView,
  userAgent: text,
  /** Later peer calls present it. */
  session: hex.length(32),
  /** Whether the caller's URL was called back and answered. */
  confirmed: z.boolean(),
});
/** The answer to a hello: what the callee is, and the session. */
export type HelloOutput = z.output<typeof helloOutput>;

export const confirmInput = z.strictObject({ nonce });
/** Whether this node made that nonce for a hello that is still under way. */
export const confirmOutput = z.strictObject({ mine: z.boolean() });
export const stopOutput = z.strictObject({ stopping: z.literal(true) });

/** The longest ban, in minutes: a year. */
export const MAX_BAN_MINUTES = 527_040;
/** For how long somebody is kept out where the operator does not say, in minutes: a day. */
export const BAN_MINUTES = 1_440;
export const addInput = z.strictObject({ url });
/** `known`: it was in the book before. */
export const addOutput = z.strictObject({ url, known: z.boolean() });
export const removeInput = z.strictObject({ url });
/** `connected`: there was a session with it, and that has ended. */
export const removeOutput = z.strictObject({ url, known: z.boolean(), connected: z.boolean() });
/** A URL, or an IP address; of IPv6 the whole /64 is meant. */
const target = { url: url.optional(), address: z.union([z.ipv4(), z.ipv6()]).optional() };
const one = ({ url, address }: { url?: string | undefined; address?: string | undefined }): boolean =>
  (url === undefined) !== (address === undefined);
export const banInput = z
  .strictObject({ ...target, minutes: z.int().min(1).max(MAX_BAN_MINUTES).default(BAN_MINUTES) })
  .refine(one, 'a url or an address is expected');
export const unbanInput = z.strictObject(target).refine(one, 'a url or an address is expected');
export const banView = z.strictObject({
  /** A URL, or an address; `::/64` behind an IPv6 network. */
  target: text.max(MAX_URL),
  until: timestamp,
  /** `operator`, or the code of what was done. */
  why: text,
});
/** Somebody who is kept out. */
export type BanView = z.output<typeof banView>;
export const unbanOutput = z.strictObject({ target: banView.shape.target, lifted: z.boolean() });
const peerView = z.strictObject({
  url,
  /** Whether this node sought it; the others sought this node. */
  sought: z.boolean(),
  since: timestamp,
  height,
  /** What is held against it; it is left with 20 points, and banned with 50 for lies. */
  points: z.number(),
  /** Its address, where its URL holds one. */
  address: text.nullable(),
  /** The network it is counted to. */
  group: text.max(MAX_URL),
  userAgent: text,
  /** The version that both speak, and the contract that it was built on: another one than ours is no reason to part. */
  protocol: count,
  contract: fingerprint.nullable(),
  capabilities: z.array(text).max(32),
});
/** A node that this one has a session with. */
export type PeerView = z.output<typeof peerView>;
export const peersOutput = z.strictObject({ peers: z.array(peerView), bans: z.array(banView) });

/** What full nodes and directory servers must be able to do for the `node` router. */
export interface PeerApi {
  self(): Promise<SelfView>;
  list(): Promise<z.input<typeof listOutput>>;
  random(input: z.output<typeof randomInput>): Promise<z.input<typeof randomOutput>>;
  ping(): Promise<z.input<typeof pingOutput>>;
  hello(input: HelloInput, caller: Caller): Promise<HelloOutput>;
  confirm(input: z.output<typeof confirmInput>): Promise<z.input<typeof confirmOutput>>;
  add(input: z.output<typeof addInput>): Promise<z.input<typeof addOutput>>;
  remove(input: z.output<typeof removeInput>): Promise<z.input<typeof removeOutput>>;
  ban(input: z.output<typeof banInput>): Promise<BanView>;
  unban(input: z.output<typeof unbanInput>): Promise<z.input<typeof unbanOutput>>;
  peers(): Promise<z.input<typeof peersOutput>>;
  stop(): Promise<z.input<typeof stopOutput>>;
}
