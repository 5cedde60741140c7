import { toBase64 } from '../../../../shared/bytes/base64.js';
import type { Block } from '../../../../shared/model/block.js';
import { type CompactBlock, compactBlockOf } from '../../../../shared/model/compactBlock.js';
import { missingInput } from '../../../../shared/rpc/blockSchemas.js';
import { present } from '../../assertOk.js';
import { announceCompact } from './announce.js';
import { type Answer, SILENCE, value } from './answer.js';
import { Forge } from './forge.js';
import type { Lie } from './lie.js';

/** What a liar says of a block: the short form it announces, and what it hands out for what is missing. */
interface Told {
  readonly compact: CompactBlock;
  readonly missing: Answer | ((input: unknown) => Answer);
  /** What comes where the whole block is asked for. */
  readonly whole: Block | Answer;
}

/** Blocks announced in their short form, which nobody has to have checked, that lead to no block, or to a bad one. */
export const COMPACT_LIES = {
  /** Names of transactions that do not exist; what is handed out for them has other names. */
  'compact-junk-ids': compact((forge) => {
    const block = withPayment(forge);
    if (block === undefined) return undefined;
    const short = present(compactBlockOf(block));
    const ids = short.ids.map(() => forge.dice.below(2 ** 32));
    return { compact: { ...short, ids }, missing: transactionsOf(block), whole: SILENCE };
  }),
  /** A valid block with a transaction that nobody has, and that is not handed out. */
  'compact-withheld': compact((forge) => {
    const block = withPayment(forge);
    return block && { compact: present(compactBlockOf(block)), missing: SILENCE, whole: SILENCE };
  }),
  /** Another coinbase than the block's own, so that what is put together has a wrong root. The block itself is valid. */
  'compact-wrong-coinbase': compact((forge) => {
    const block = forge.block([forge.coinbase()]);
    const short = { ...present(compactBlockOf(block)), coinbase: forge.coinbase() };
    return { compact: short, missing: transactionsOf(block), whole: block };
  }),
  /** Nothing is missing, and the coinbase makes a unit more than the reward. */
  'compact-invalid': compact((forge) => {
    const block = forge.block([forge.coinbase({ extra: 1n })]);
    return { compact: present(compactBlockOf(block)), missing: transactionsOf(block), whole: block };
  }),
} satisfies Record<string, Lie>;

function compact(make: (forge: Forge) => Told | undefined): Lie {
  return async (liar, telling) => {
    const forge = Forge.on(liar, telling);
    const told = forge && make(forge);
    if (told === undefined) return false;
    liar.story.answers.set('block.missing', told.missing);
    liar.story.blocks.set(told.compact.header.hash, told.whole);
    return announceCompact(liar, telling.victim, told.compact);
  };
}

/** A valid block with a payment that waits nowhere. */
function withPayment(forge: Forge): Block | undefined {
  const coin = forge.freeCoin();
  return coin && forge.block([forge.coinbase(), forge.pay(coin)]);
}

function transactionsOf({ transactions }: Block): (input: unknown) => Answer {
  return (input) => {
    const { positions } = missingInput.parse(input);
    return value({ transactions: positions.flatMap((at) => transactions[at] ?? []).map(({ raw }) => toBase64(raw)) });
  };
}
