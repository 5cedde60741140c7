import type { Branded } from './brand.js';
import type { TxId } from './ids.js';

/** One output of one transaction: what an input spends. */
export interface OutPoint {
  readonly txid: TxId;
  /** Position among the transaction's outputs, from 0 to 65,535. */
  readonly index: number;
}

/** The largest output index a format holds. */
export const MAX_OUTPUT_INDEX = 65_535;

/** An outpoint as text, `txid:index`: the key of maps and the way it is shown. */
export type OutPointKey = Branded<string, 'OutPointKey'>;

/** The key of an outpoint. */
export function outPointKey(outpoint: OutPoint): OutPointKey {
  return `${outpoint.txid}:${outpoint.index}` as OutPointKey;
}
