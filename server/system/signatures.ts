import { checkSignatures } from '../../shared/consensus/checkInputs.js';
import { nobleEngine } from '../../shared/crypto/secp.js';
import type { RecoveryEngine } from '../../shared/crypto/signature.js';
import type { Clock, Logger, Signatures } from '../ports.js';

/** How long signature checks may hold the event loop before others get a turn. */
const SLICE_MS = 8;

/**
 * libsecp256k1, from the binary inside its package, or @noble/secp256k1 where none fits this machine: about forty times
 * slower, and never chosen without a word.
 */
export async function loadEngine(log: Logger): Promise<RecoveryEngine> {
  try {
    // The package's index would fall back to slow JavaScript by itself and not say so; its bindings throw instead.
    const { default: native } = await import('secp256k1/bindings.js');
    return {
      name: 'secp256k1',
      recover: (compact, recovery, digest) => native.ecdsaRecover(compact, recovery, digest, false),
    };
  } catch (error) {
    log.warn('no native secp256k1 for this machine; signature checks run in JavaScript, about 40 times slower', {
      error: String(error),
    });
    return nobleEngine;
  }
}

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
