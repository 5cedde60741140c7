import { TrestleError } from '../../shared/errors.js';
import type { Kv } from './kv.js';

/**
 * Tells of a commit that failed for a reason nobody has a name for, such as an input/output error: after a sync that
 * failed, what the disk holds is anybody's guess, and asking again would hide it (as PostgreSQL found out in 2018). A
 * full disk has a name, and is waited out.
 */
export function failStop(kv: Kv, onFailure: (error: unknown) => void): Kv {
  return {
    get: (key) => kv.get(key),
    range: (range) => kv.range(range),
    async commit(batch) {
      try {
        await kv.commit(batch);
      } catch (error) {
        if (!(error instanceof TrestleError)) onFailure(error);
        throw error;
      }
    },
    close: () => kv.close(),
  };
}
