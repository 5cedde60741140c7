import { checkSignatures } from '../../shared/consensus/checkInputs.js';
import type { RecoveryEngine } from '../../shared/crypto/signature.js';
import type { Clock, Signatures } from '../ports.js';

/** How long signature checks may hold the event loop before others get a turn. */
const SLICE_MS = 8;

/** Checks signatures in this thread, in slices, so that calls are answered in between. */
export function inlineSignatures(engine: RecoveryEngine, clock: Pick<Clock, 'monotonic' | 'yield'>): Signatures {
  return {
    engine: engine.name,
    async check(checks) {
      const verdicts = [];
      let sliceEnds = clock.monotonic() + SLICE_MS;
      for (const check of checks) {
        verdicts.push(checkSignatures(engine, check));
        if (clock.monotonic() < sliceEnds) continue;
        await clock.yield();
        sliceEnds = clock.monotonic() + SLICE_MS;
      }
      return verdicts;
    },
  };
}
