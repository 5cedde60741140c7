import { toBase64 } from '../../shared/bytes/base64.js';
import { bytesFromBigint } from '../../shared/bytes/bigEndian.js';
import { toHex } from '../../shared/bytes/hex.js';
import { ByteWriter } from '../../shared/bytes/writer.js';
import { workOfTarget } from '../../shared/consensus/target.js';
import { TrestleError } from '../../shared/errors.js';
import { type Block, decodeBlock } from '../../shared/model/block.js';
import { decodeCompactBlock } from '../../shared/model/compactBlock.js';
import { decodeHeader, encodeHeader, HEADER_BYTES } from '../../shared/model/header.js';
import { GENESIS_HEIGHT, toHeight } from '../../shared/model/height.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { BlockApi, SubmittedBlock } from '../../shared/rpc/blockSchemas.js';
import type { Bid, Tid } from '../../shared/rpc/fields.js';
import type { Chainstate } from '../chain/chainstate.js';
import { transactionsOf } from '../chain/transactionsOf.js';
import { followBlocks } from '../events/followBlocks.js';
import type { Subscriptions } from '../events/subscriptions.js';
import { solveInline } from '../miner/solveInline.js';
import type { Templates } from '../miner/templates.js';
import type { Relay } from '../relay/relay.js';
import type { HeaderRecord } from '../store/layout.js';
import { findBlock, findRecord, findTransaction, notFound } from './lookup.js';
import { fitting, pageOf, pageOfNumbers } from './pages.js';
import { blockView, inputView, outputView, spentInputs, tipView, transactionView } from './views.js';

/** The most bytes of blocks one answer holds, raw; the first block always fits. */
const RANGE_BYTES = 4_000_000;

/** The most bytes of transactions that one page shows, raw; the first one always fits. */
const PAGE_BYTES = 200_000;

/** Blocks below the tip of which `block.missing` hands out transactions. */
const LATE_BLOCKS = 10;

/** The most hashes a block may take on average to be made inside a call. */
const MAX_GENERATE_WORK = 1_000n;

/** For whom `block.generate` makes its templates: no address of a caller. */
const GENERATE = 'generate';

/** What the `block` router works on. */
export interface BlockApiParts {
  readonly chain: Chainstate;
  readonly templates: Templates;
  readonly relay: Relay;
  readonly subscriptions: Subscriptions;
}

/** Answers the `block` router. */
export function createBlockApi({ chain, templates, relay, subscriptions }: BlockApiParts): BlockApi {
  return {
    get: async ({ block }) => blockView(chain, findRecord(chain, block)),
    last: async () => blockView(chain, chain.tip),
    list: async (input) =>
      pageOfNumbers(input, { first: chain.tip.header.height, step: -1, end: -1 }, (height) =>
        blockView(chain, findRecord(chain, toHeight(height))),
      ),
    headers: async ({ locator, limit }) => {
      const fork = locator.map((hash) => chain.headers.get(hash)).find((record) => record && chain.isActive(record));
      const start = fork === undefined ? 0 : fork.header.height + 1;
      const end = Math.min(start + limit, chain.tip.header.height + 1);
      const writer = new ByteWriter(Math.max(end - start, 0) * HEADER_BYTES);
      for (let height = start; height < end; height++)
        writer.bytes(encodeHeader(findRecord(chain, toHeight(height)).header));
      return { headers: toBase64(writer.finish()) };
    },
    range: async ({ from, count }) => ({ blocks: rangeOf(chain, from, count) }),
    raw: async ({ block }) => {
      // Peers are told of a block before it is connected, and may ask for it at once.
      const recent = typeof block === 'number' || block === 'last' ? undefined : relay.recentBlock(block);
      if (recent !== undefined) return { hash: recent.header.hash, raw: toBase64(recent.raw) };
      const { hash } = findRecord(chain, block).header;
      return { hash, raw: toBase64(rawOf(chain, hash)) };
    },
    missing: async ({ block: hash, positions }) => {
      const { transactions } = relay.recentBlock(hash) ?? lateBlock(chain, hash);
      const found = positions.flatMap((position) => transactions[position] ?? []);
      if (found.length < positions.length) throw notFound(`a transaction of block ${hash} at one of these positions`);
      return { transactions: found.map(({ raw }) => toBase64(raw)) };
    },
    transactions: async ({ block: bid, ...input }) => {
      const { record, block } = findBlock(chain, bid);
      const all = [...transactionsOf(block, chain.store.undo(block.header.hash))];
      const limit = fitting(all, input, { bytes: PAGE_BYTES, sizeOf: ({ transaction }) => transaction.raw.length });
      return pageOf(all, { ...input, limit }, ({ transaction, spent, position }) =>
        transactionView(chain, transaction, { spent, place: { record, position } }),
      );
    },
    transaction: async ({ block: bid, transaction: tid }) => {
      const { record, block } = findBlock(chain, bid);
      const { transaction, position, spent } = findTransaction(chain, block, tid);
      return transactionView(chain, transaction, { spent, place: { record, position } });
    },
    inputs: async ({ block, transaction, ...input }) => pageOf(inputsAt(chain, block, transaction), input, inputView),
    input: async ({ block, transaction, input }) => {
      const found = inputsAt(chain, block, transaction)[input];
      if (found === undefined) throw notFound(`input ${input} of transaction ${transaction}`);
      return inputView(found, input);
    },
    outputs: async ({ block, transaction, ...input }) =>
      pageOf(outputsAt(chain, block, transaction), input, outputView),
    output: async ({ block, transaction, output }) => {
      const found = outputsAt(chain, block, transaction)[output];
      if (found === undefined) throw notFound(`output ${output} of transaction ${transaction}`);
      return outputView(found, output);
    },
    template: async ({ address, current, waitMs }, { remoteAddress: caller }, signal) => {
      if (current !== undefined) await templates.waitForBetter({ id: current, caller }, { waitMs, signal });
      const template = await templates.create(address, caller);
      const { id, header, target, minTime, fees, reward, transactions } = template;
      return {
        id,
        header: toHex(encodeHeader(header)),
        target: toHex(bytesFromBigint(target, 32)),
        height: header.height,
        previous: header.previous,
        minTime,
        transactionCount: transactions.length,
        fees,
        reward,
      };
    },
    submit: async (input, { remoteAddress: caller }) =>
      submit(
        chain,
        'block' in input ? decode(chain, input.block) : templates.solve({ id: input.template, caller }, input),
      ),
    announce: async ({ header: bytes, compact: short }, session) => {
      const header = decodeHeader(bytes);
      if (!header.ok) throw new TrestleError({ code: 'header-malformed', detail: header.detail });
      const compact = short && decodeCompactBlock(short);
      if (compact?.ok === false) throw new TrestleError({ code: 'block-malformed', detail: compact.detail });
      if (compact !== undefined && compact.value.header.hash !== header.value.hash)
        throw new TrestleError({ code: 'bad-request', detail: 'header and compact are of two blocks' });
      return { known: relay.blockAnnounced(header.value, compact?.value, session.url) };
    },
    generate: async ({ address, count }) => {
      if (chain.params.retarget !== 'none' || workOfTarget(chain.params.limit) > MAX_GENERATE_WORK)
        throw new TrestleError({ code: 'bad-request', detail: `network ${chain.params.name} has a difficulty: mine` });
      const hashes = [];
      while (hashes.length < count) {
        const { id, header, target } = await templates.create(address, GENERATE);
        const solution = solveInline(header, target);
        const { hash } = await submit(chain, templates.solve({ id, caller: GENERATE }, solution));
        hashes.push(hash);
      }
      return { hashes };
    },
    onChange: ({ after, lastEventId }, { remoteAddress }, signal) =>
      subscriptions.open({ remoteAddress, signal }, followBlocks(chain, { after: lastEventId ?? after, signal })),
    invalidate: async ({ block }) => {
      await chain.setAside(findMovable(chain, block));
      return { tip: tipView(chain) };
    },
    reconsider: async ({ block }) => {
      await chain.reconsider(findMovable(chain, block));
      return { tip: tipView(chain) };
    },
  };
}

/** A block of the last few, for those who put it together late. Older ones come whole, or by transaction. */
function lateBlock(chain: Chainstate, hash: BlockHash): Block {
  const { record, block } = findBlock(chain, hash);
  if (record.header.height > chain.tip.header.height - LATE_BLOCKS) return block;
  throw notFound(`block ${hash} among the last ${LATE_BLOCKS}`);
}

/** A block the chain may be told to do without: any but genesis, on which everything stands. */
function findMovable(chain: Chainstate, hash: BlockHash): HeaderRecord {
  const record = findRecord(chain, hash);
  if (record.header.height > GENESIS_HEIGHT) return record;
  throw new TrestleError({ code: 'bad-request', detail: 'genesis is what makes this network the one it is' });
}

async function submit(chain: Chainstate, block: Block): Promise<SubmittedBlock> {
  const outcome = await chain.submitBlock(block);
  if (!outcome.ok) throw new TrestleError(outcome.reject);
  const { hash, height } = outcome.value.record.header;
  return { hash, height, status: outcome.value.status };
}

/** Reads a whole block. Its header comes first: two megabytes of transactions are not hashed for a block without work. */
function decode(chain: Chainstate, bytes: Uint8Array): Block {
  const header = decodeHeader(bytes.subarray(0, HEADER_BYTES));
  if (!header.ok) throw new TrestleError({ code: 'block-malformed', detail: header.detail });
  const verdict = chain.gate.check(header.value);
  if (!verdict.ok) throw new TrestleError(verdict.reject);
  const block = decodeBlock(bytes);
  if (!block.ok) throw new TrestleError({ code: 'block-malformed', detail: block.detail });
  return block.value;
}

function rawOf(chain: Chainstate, hash: Block['header']['hash']): Uint8Array {
  const raw = chain.store.rawBlock(hash);
  if (raw === undefined) throw notFound(`the body of block ${hash}`);
  return raw;
}

function rangeOf(chain: Chainstate, from: Bid, count: number): string[] {
  const first = findRecord(chain, from);
  const end = chain.isActive(first) ? first.header.height + count : first.header.height + 1;
  const blocks = [toBase64(rawOf(chain, first.header.hash))];
  let bytes = first.body?.size ?? 0;
  for (let height = first.header.height + 1; height < end; height++) {
    const record = chain.at(height);
    if (record === undefined) break;
    bytes += record.body?.size ?? 0;
    if (bytes > RANGE_BYTES) break;
    blocks.push(toBase64(rawOf(chain, record.header.hash)));
  }
  return blocks;
}

function inputsAt(chain: Chainstate, bid: Bid, tid: Tid) {
  const { transaction, spent } = findTransaction(chain, findBlock(chain, bid).block, tid);
  return spentInputs(transaction, spent);
}

function outputsAt(chain: Chainstate, bid: Bid, tid: Tid) {
  return findTransaction(chain, findBlock(chain, bid).block, tid).transaction.body.outputs;
}
