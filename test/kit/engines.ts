import { loadEngine } from '../../server/system/signatures.js';
import { nobleEngine } from '../../shared/crypto/secp.js';
import type { RecoveryEngine } from '../../shared/crypto/signature.js';
import { silentLog } from './silentLog.js';

/** Every implementation of signature recovery there is on this machine, the reference first. */
export async function allEngines(): Promise<RecoveryEngine[]> {
  const native = await loadEngine(silentLog);
  return native === nobleEngine ? [nobleEngine] : [nobleEngine, native];
}
