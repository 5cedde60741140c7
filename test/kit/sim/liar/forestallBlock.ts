import { toBase64 } from '../../../../shared/bytes/base64.js';
import type { Block } from '../../../../shared/model/block.js';
import type { SimNode } from '../simNode.js';
import { announceBlock } from './announce.js';
import { type Answer, SILENCE } from './answer.js';
import { elsewhere } from './elsewhere.js';
import { Forge } from './forge.js';
import type { Liar } from './liar.js';
import type { Lie, Telling } from './lie.js';
import { mutate } from './mutate.js';

/** A real block that has not reached its victims, and what the liar gives them for it. */
export interface ForestalledBlock {
  readonly block: Block;
  readonly victims: readonly SimNode[];
  readonly body: Block | Answer;
}

/** Announces a real block before anybody else does, and serves something else for its body. */
export async function forestallBlock(liar: Liar, { block, victims, body }: ForestalledBlock): Promise<boolean> {
  liar.story.blocks.set(block.header.hash, body);
  let isHeard = false;
  for (const victim of victims)
    if ((await liar.meet(victim)) && (await announceBlock(liar, victim, block.header))) isHeard = true;
  return isHeard;
}

/** Lies about a block that honest nodes have and the victim has not: one that is on its way, or made for this. */
export const FORESTALLED_BLOCK_LIES = {
  /** Its header with other transactions. Whoever holds that against the header never takes the block. */
  'block-mutated-body': forestalled((block, { dice }) => mutate(block, dice)),
  /** Its header, and its body never. */
  'withheld-honest-block': forestalled(() => SILENCE),
} satisfies Record<string, Lie>;

function forestalled(bodyOf: (block: Block, telling: Telling) => Block | Answer): Lie {
  return async (liar, telling) => {
    const { victim } = telling;
    const other = await elsewhere(liar, telling);
    const underWay = other && nextBlock(other, victim);
    const block = underWay ?? honestBlock(liar, telling);
    if (other === undefined || block === undefined) return false;
    const isHeard = await forestallBlock(liar, { block, victims: [victim], body: bodyOf(block, telling) });
    if (underWay !== undefined) return isHeard;
    const whole = toBase64(block.raw);
    return (await liar.tell(other, (client) => client.block.submit.mutate({ block: whole }))).ok && isHeard;
  };
}

/** The block by which one node's chain goes on where another's ends. */
function nextBlock({ running }: SimNode, behind: SimNode): Block | undefined {
  const tip = behind.running?.chain.tip.header;
  const next = running === undefined || tip === undefined ? undefined : running.chain.at(tip.height + 1)?.header;
  if (next === undefined || next.previous !== tip?.hash) return undefined;
  return behind.running?.chain.headers.get(next.hash) === undefined ? running?.chain.store.block(next.hash) : undefined;
}

/** A block with nothing wrong about it. */
function honestBlock(liar: Liar, telling: Telling): Block | undefined {
  const forge = Forge.on(liar, telling);
  return forge?.block([forge.coinbase()]);
}
