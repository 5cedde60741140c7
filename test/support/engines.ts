import { ENGINE_NAMES, loadEngine } from '../../server/system/engines.js';
import type { RecoveryEngine } from '../../shared/crypto/signature.js';
import { TrestleError } from '../../shared/errors.js';
import { silentLog } from '../kit/sim/silentLog.js';

/** Every implementation of signature recovery there is on this machine, the reference first and the fastest last. */
export async function allEngines(): Promise<RecoveryEngine[]> {
  const engines: RecoveryEngine[] = [];
  for (const name of ENGINE_NAMES.toReversed()) {
    try {
      engines.push(await loadEngine(name, { log: silentLog }));
    } catch (error) {
      // A machine without a binary goes without the native engine, and a test of its own says so.
      if (!(error instanceof TrestleError && name === 'native')) throw error;
    }
  }
  return engines;
}
