import { contextAfter, expectedBits } from '../../../../shared/consensus/checkHeader.js';
import { genesisBlock } from '../../../../shared/consensus/genesis.js';
import { type NetworkParams, versionAt } from '../../../../shared/consensus/params.js';
import { workOfTarget } from '../../../../shared/consensus/target.js';
import type { Header } from '../../../../shared/model/header.js';
import { toHeight } from '../../../../shared/model/height.js';
import type { BlockHash } from '../../../../shared/model/ids.js';
import { MAX_HEADERS } from '../../../../shared/rpc/blockSchemas.js';
import { present } from '../../assertOk.js';
import { contextAfterGenesis, mine } from '../../builders.js';
import { announceBlock } from './announce.js';
import { FeignedChain } from './feignedChain.js';
import type { Lie } from './lie.js';
import { headersAnswer } from './story.js';

/** Full answers of endless headers that there are: mining them is to cost little more than taking them. */
const ROUNDS = 2;
/** How often the same answer is given again before honest ones follow. */
const REPEATS = 8;
/** The most hashes a header may take on average. */
const MOST_WORK = 16n;

/** Mined once for each network: they stand on genesis and are always the same. */
const mined = new Map<BlockHash, readonly Header[]>();

/**
 * Headers without end, mined one by one from genesis on, and no body to any. Who only pings the liar learns nothing of
 * them: they are work enough for one victim.
 */
export const HEADER_FLOOD_LIES = {
  'endless-headers': async (liar, { net, victim }) => {
    const headers = headersFor(net.params);
    if (headers === undefined) return false;
    liar.story.tip = liar.tip;
    liar.story.chain = new FeignedChain(genesisBlock(net.params).header, headers);
    return announceBlock(liar, victim, present(headers.at(-1)));
  },
  /** The same full answer again and again, from genesis on, which is on every locator. */
  'repeated-headers': async (liar, { net, victim }) => {
    const headers = headersFor(net.params);
    if (headers === undefined) return false;
    liar.story.tip = liar.tip;
    const answer = headersAnswer(headers.slice(0, MAX_HEADERS));
    let left = REPEATS;
    liar.story.answers.set('block.headers', () => (left-- > 0 ? answer : undefined));
    return announceBlock(liar, victim, present(headers.at(-1)));
  },
} satisfies Record<string, Lie>;

/** Headers of valid blocks, were there any; `undefined` where they would take too long. */
function headersFor(params: NetworkParams): readonly Header[] | undefined {
  if (workOfTarget(params.limit) > MOST_WORK) return undefined;
  const { header: genesis } = genesisBlock(params);
  const headers = mined.get(genesis.hash) ?? mineHeaders(genesis, params, ROUNDS * MAX_HEADERS);
  mined.set(genesis.hash, headers);
  return headers;
}

function mineHeaders(genesis: Header, params: NetworkParams, count: number): Header[] {
  const headers: Header[] = [];
  let context = contextAfterGenesis(genesis);
  while (headers.length < count) {
    const height = toHeight(context.height + 1);
    const header = mine({
      version: versionAt(params, height),
      height,
      previous: context.hash,
      merkleRoot: new Uint8Array(32),
      timestamp: context.timestamp + params.blockInterval,
      bits: expectedBits(params, context),
      nonce: 0n,
    });
    headers.push(header);
    context = contextAfter(context, header);
  }
  return headers;
}
