import type { BlockHash, TxId, Wtxid } from '../../shared/model/ids.js';
import {
  countCodec,
  emptyCodec,
  idCodec,
  list,
  numberKey,
  optional,
  record,
  restCodec,
  shortTextCodec,
} from './codecs.js';
import { type Codec, space } from './space.js';

/** A waiting transaction as it is saved. */
export interface SavedTransaction {
  readonly firstSeen: number;
  readonly raw: Uint8Array;
}

/** Why a transaction waits here no longer. */
export interface SavedDeparture {
  /** Its place in the order in which they left. */
  readonly number: number;
  readonly at: number;
  readonly code: string;
  /** The transaction or block that it made way for. */
  readonly by: TxId | BlockHash | null;
}

/** What was learnt of fees: cells of two tables with what they count, in millionths. */
export interface SavedFees {
  readonly version: number;
  readonly height: number;
  readonly confirmed: readonly SavedCell[];
  readonly left: readonly SavedCell[];
}

/** A cell that is not at nothing. */
export interface SavedCell {
  readonly cell: number;
  readonly millionths: number;
}

const cellCodec: Codec<SavedCell> = record({ cell: countCodec, millionths: countCodec });

/** The waiting transactions, in an environment of their own that does not wait for the disk. */
export const poolLayout = {
  pool: space<Wtxid, SavedTransaction>('pool', 0x01, {
    key: idCodec<Wtxid>(),
    value: record({ firstSeen: countCodec, raw: restCodec }),
  }),
  /** Those that left unconfirmed. */
  departure: space<TxId, SavedDeparture>('departure', 0x02, {
    key: idCodec<TxId>(),
    value: record({
      number: countCodec,
      at: countCodec,
      code: shortTextCodec,
      by: optional(idCodec<TxId | BlockHash>()),
    }),
  }),
  /** The same in the order in which they left, so that the oldest can be forgotten. */
  departureOrder: space<number, TxId>('departureOrder', 0x03, { key: numberKey, value: idCodec<TxId>() }),
  /** One row. */
  fees: space<null, SavedFees>('fees', 0x04, {
    key: emptyCodec,
    value: record({ version: countCodec, height: countCodec, confirmed: list(cellCodec), left: list(cellCodec) }),
  }),
} as const;
