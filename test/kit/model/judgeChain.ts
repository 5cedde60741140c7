import { accept, refuse, type Verdict } from '../../../shared/verdict.js';
import { toHex } from './bytes.js';
import { decodeHeader, HEADER_SIZE } from './model.js';
import type { Network } from './network.js';
import { Validator } from './validator.js';

/** How a chain is judged: what the second validator made of it, or a sentence on the first block that is wrong. */
export type ChainVerdict = Verdict<Validator, string>;

/** Judges a whole active chain, genesis first, by the clock that the node which holds it goes by. */
export function judgeChain(
  blocks: readonly Uint8Array[],
  { network, now }: { readonly network: Network; readonly now: number },
): ChainVerdict {
  // The least work is asked of a whole chain, and the first blocks of none have it.
  const validator = new Validator({ ...network, minimumWork: 0n }, now);
  const [genesis, ...rest] = blocks;
  if (genesis === undefined || toHex(genesis) !== toHex(validator.genesis.bytes))
    return refuse(`block 0 is not the genesis of network ${network.name}, ${validator.genesis.header.hash}`);
  for (const [i, bytes] of rest.entries()) {
    const answer = validator.submitBlock(bytes);
    if (answer === 'connected') continue;
    const hash = decodeHeader(bytes.slice(0, HEADER_SIZE))?.hash ?? 'of no hash';
    return refuse(`block ${i + 1} (${hash}) stands on the active chain, but by the rules it is ${answer}`);
  }
  const { bestWork } = validator;
  if (rest.length > 0 && bestWork < network.minimumWork)
    return refuse(`the chain has a work of ${bestWork}, and the network asks for ${network.minimumWork}`);
  return accept(validator);
}
