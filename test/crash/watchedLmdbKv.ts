import { basename } from 'node:path';
import type { Kv, Write } from '../../server/store/kv.js';
import { type LmdbOptions, lmdbKv as realKv } from '../../server/store/lmdbKv.js';
import { point, reaches, strikeNow } from './points.js';

/** The real durable store, with a write point before, within and after everything that it writes. */
export function lmdbKv(options: LmdbOptions): Kv {
  const name = basename(options.directory);
  point(`opening ${name}: before`);
  const kv = realKv(options);
  point(`opening ${name}: after`);
  return {
    ...kv,
    async commit(batch) {
      point(`commit ${name}: before`);
      await kv.commit(reaches(`commit ${name}: half-way`) ? struckHalfWay(batch) : batch);
      point(`commit ${name}: after`);
    },
    async close() {
      point(`closing ${name}: before`);
      await kv.close();
      point(`closing ${name}: after`);
    },
  };
}

/** The same batch, for whose reader half of it is in LMDB's open transaction when the signal comes. */
function struckHalfWay(batch: readonly Write[]): readonly Write[] {
  return Object.assign([...batch], {
    *[Symbol.iterator](): ArrayIterator<Write> {
      yield* batch.slice(0, Math.ceil(batch.length / 2));
      strikeNow();
      yield* batch.slice(Math.ceil(batch.length / 2));
    },
  });
}
