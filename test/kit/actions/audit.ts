import type { Client } from '../../../client/createClient.js';
import { parseBase64 } from '../../../shared/bytes/base64.js';
import type { NetworkParams } from '../../../shared/consensus/params.js';
import { toHeight } from '../../../shared/model/height.js';
import { MAX_RANGE } from '../../../shared/rpc/blockSchemas.js';
import { MAX_PAGE } from '../../../shared/rpc/fields.js';
import type { ChainView, RichEntry } from '../../../shared/rpc/infoSchemas.js';
import { type AddressAccount, falseAddress, falseRichList, falseTotals, sampleOf } from '../model/account.js';
import { judgeChain } from '../model/judgeChain.js';
import { networkOfParams } from '../model/networkOfParams.js';

/** How often the whole is read again because the chain moved. */
const MAX_READS = 5;

/** How an audit differs from a plain one. */
export interface AuditOptions {
  /** Judges a chain; a memory of chains judged before may stand in its way. */
  readonly judge?: typeof judgeChain | undefined;
}

/**
 * Audits a node from outside: downloads its active chain, judges every block by the plain second validator, and holds
 * what the node says of its money against a ledger made from those blocks alone. Answers a description of the first
 * thing wrong. It is slow with the chain's length: meant for the hundreds of blocks of a test.
 */
export async function auditNode(
  client: Client,
  params: NetworkParams,
  { judge = judgeChain }: AuditOptions = {},
): Promise<string | undefined> {
  for (let read = 1; read <= MAX_READS; read++) {
    const said = await client.info.chain.query();
    const result = await auditOnce(client, { said, params, judge }).catch((error: unknown) => ({ error }));
    // What was said over several calls goes together only if the chain stood still; else a failure means nothing, too.
    if ((await client.info.chain.query()).tip !== said.tip) continue;
    if ('error' in result) throw result.error;
    return result.fault;
  }
  throw new Error(`the chain moved at each of ${MAX_READS} readings: let nobody mine while a node is audited`);
}

interface Case {
  readonly said: ChainView;
  readonly params: NetworkParams;
  readonly judge: typeof judgeChain;
}

async function auditOnce(client: Client, { said, params, judge }: Case): Promise<{ fault: string | undefined }> {
  const { time } = await client.node.ping.query();
  const blocks = await readBlocks(client, said.height);
  const judged = judge(blocks, { network: networkOfParams(params), now: time });
  if (!judged.ok) return { fault: judged.reject };
  const validator = judged.value;
  const fault = falseTotals(said, validator) ?? falseRichList(await readRichList(client), validator);
  if (fault !== undefined) return { fault };
  for (const address of sampleOf(validator)) {
    const wrong = falseAddress(await readAddress(client, address), validator);
    if (wrong !== undefined) return { fault: wrong };
  }
  return { fault: undefined };
}

/** The blocks of the active chain up to a height, as bytes. */
async function readBlocks(client: Client, height: number): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = [];
  while (blocks.length <= height) {
    const count = Math.min(MAX_RANGE, height + 1 - blocks.length);
    const range = await client.block.range.query({ from: toHeight(blocks.length), count });
    // Text that is no base64 is a block of no bytes, which the validator refuses.
    for (const text of range.blocks) blocks.push(parseBase64(text) ?? new Uint8Array(0));
  }
  return blocks;
}

function readRichList(client: Client): Promise<RichEntry[]> {
  return readPages((cursor) => client.info.richList.query({ limit: MAX_PAGE, cursor }));
}

async function readAddress(client: Client, address: string): Promise<AddressAccount> {
  const view = await client.info.address.query({ address });
  const coins = await readPages((cursor) => client.info.utxos.query({ address, limit: MAX_PAGE, cursor }));
  return { address, view, coins: coins.filter(({ height }) => height !== null) };
}

/** All items of a list that comes in pages. */
async function readPages<Item>(
  read: (cursor: string | undefined) => Promise<{ readonly items: readonly Item[]; readonly next: string | null }>,
): Promise<Item[]> {
  const items: Item[] = [];
  let next: string | undefined;
  do {
    const page = await read(next);
    items.push(...page.items);
    next = page.next ?? undefined;
  } while (next !== undefined);
  return items;
}
