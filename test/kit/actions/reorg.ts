import type { Client } from '../../../client/createClient.js';
import { parseHeaders } from '../../../server/sync/bodies.js';
import { toBase64 } from '../../../shared/bytes/base64.js';
import { contextAfter, medianTime, type ParentContext } from '../../../shared/consensus/checkHeader.js';
import { MEDIAN_SPAN, type NetworkParams, WORK_BUFFER_BLOCKS } from '../../../shared/consensus/params.js';
import { type Address, parseAddress } from '../../../shared/model/address.js';
import type { Block } from '../../../shared/model/block.js';
import type { Header } from '../../../shared/model/header.js';
import { toHeight } from '../../../shared/model/height.js';
import type { SubmittedBlock } from '../../../shared/rpc/blockSchemas.js';
import { block, coinbase, testKey } from '../builders.js';
import type { Reorg } from '../network.js';
import { readParams } from './readParams.js';

/** A branch that starts further below the tip than this has too little work for a node to store its first header. */
export const DEEPEST_REORG = WORK_BUFFER_BLOCKS + 1;
/** How often the top of the chain is read again because a block came in between. */
const MAX_READS = 5;

/** What to replace, and by what. */
export interface ReorgOptions {
  /** How many blocks lose their place. */
  readonly depth: number;
  /** Whom the new blocks pay; a key that everybody knows unless given. */
  readonly address?: string | undefined;
  /** Milliseconds since 1970, for the timestamp of the highest block; what the node's own clock shows unless given. */
  readonly now?: number | undefined;
}

/** The top of a node's chain: the block that stays, and the headers above it, lowest first. */
interface Top {
  readonly parent: ParentContext;
  readonly lost: readonly Header[];
}

/** Replaces the last `depth` blocks of a node's chain by `depth + 1` empty ones, as a miner with more power would. */
export async function reorg(client: Client, { depth, address, now }: ReorgOptions): Promise<Reorg> {
  if (!Number.isInteger(depth) || depth < 1 || depth > DEEPEST_REORG)
    throw new RangeError(`depth ${depth}: a reorganisation replaces 1 to ${DEEPEST_REORG} blocks`);
  const miner = address === undefined ? testKey(1).address : parseAddress(address);
  if (miner === undefined) throw new RangeError(`${address} is no address: 0x and 40 hex digits`);
  const params = await readParams(client);
  const top = await readTop(client, depth);
  const time = now ?? (await client.node.ping.query()).time;
  const branch = rivalBranch(top, { params, miner, now: time });
  let last: SubmittedBlock | undefined;
  for (const { raw } of branch) last = await client.block.submit.mutate({ block: toBase64(raw) });
  if (last?.status !== 'connected')
    throw new Error(
      `the new branch up to height ${last?.height} is ${last?.status}, not connected: let nobody mine meanwhile`,
    );
  const hashOf = ({ hash }: Header) => hash;
  return { disconnected: top.lost.map(hashOf), connected: branch.map(({ header }) => hashOf(header)) };
}

async function readTop(client: Client, depth: number): Promise<Top> {
  for (let read = 1; read <= MAX_READS; read++) {
    const tip = await client.block.last.query();
    if (depth > tip.height)
      throw new RangeError(`depth ${depth}: the chain has only ${tip.height} blocks above genesis; mine more`);
    const height = toHeight(tip.height - depth);
    const stays = await client.block.get.query({ block: height });
    const anchor = height === 0 ? undefined : await client.block.get.query({ block: toHeight(1) });
    const below = await client.block.get.query({ block: toHeight(Math.max(height - MEDIAN_SPAN + 1, 0)) });
    const headers = parseHeaders((await client.block.headers.query({ locator: [below.hash] })).headers) ?? [];
    const chain = [below, ...headers];
    const at = chain.findIndex(({ hash }) => hash === stays.hash);
    // What was read in several calls is one chain only if no block came or went meanwhile.
    if (at < 0 || chain.at(-1)?.hash !== tip.hash || headers[0]?.previous !== below.hash) continue;
    const recentTimes = chain.slice(0, at + 1).map(({ timestamp }) => timestamp);
    recentTimes.reverse();
    const { hash, timestamp, work } = stays;
    const parent = { hash, height, timestamp, work, recentTimes, anchorTime: anchor?.timestamp, invalid: false };
    return { parent, lost: headers.slice(at) };
  }
  throw new Error(`the chain moved ${MAX_READS} times while its top was read: let nobody mine meanwhile`);
}

/**
 * One block more than are lost, each with the timestamp of the one it replaces: under `asert` the difficulty follows the
 * timestamps, and a branch with others could have less work for all its blocks.
 */
function rivalBranch(
  { parent, lost }: Top,
  { params, miner, now }: { readonly params: NetworkParams; readonly miner: Address; readonly now: number },
): Block[] {
  const branch: Block[] = [];
  let context = parent;
  for (const replaced of [...lost, undefined]) {
    const at = context;
    const timestamp = replaced?.timestamp ?? Math.max(medianTime(at.recentTimes) + 1, now);
    const make = (tag: number): Block => {
      const first = coinbase({ params, height: at.height + 1, address: miner, tag });
      return block({ params, parent: at, transactions: [first], timestamp });
    };
    const made = make(0);
    // Blocks that this function made before would come out the same once more.
    const rival = made.header.hash === replaced?.hash ? make(1) : made;
    branch.push(rival);
    context = contextAfter(at, rival.header);
  }
  return branch;
}
