import type { RecoveryEngine } from '../../shared/crypto/signature.js';
import { requireWorking } from '../../shared/crypto/workingEngine.js';
import { TrestleError } from '../../shared/errors.js';
import type { Logger } from '../ports.js';

/** The implementations of signature recovery, fastest first. */
export const ENGINE_NAMES = ['native', 'wasm', 'noble'] as const;
/** What the log, `node.self` and `--signature-engine` call an implementation. */
export type EngineName = (typeof ENGINE_NAMES)[number];

/** What an operator may ask for: one of them, or the fastest compiled one that works here. */
export const ENGINE_CHOICES = ['auto', ...ENGINE_NAMES] as const;
/** What the operator asked for. */
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

/** Loads an implementation; throws where this machine has none. */
export type EngineLoaders = Readonly<Record<EngineName, () => Promise<RecoveryEngine>>>;

/** What loading an engine needs. */
export interface EngineParts {
  readonly log: Logger;
  /** How each is loaded: a test hands in machines that lack one. */
  readonly loaders?: EngineLoaders;
}

/** One module each, loaded when it is asked for: no process carries an engine that it does not run. */
const LOADERS: EngineLoaders = {
  native: async () => {
    // The package's index would fall back to slow JavaScript by itself and not say so; its bindings throw instead.
    const { default: native } = await import('secp256k1/bindings.js');
    return {
      name: 'native',
      recover: (compact, recovery, digest) => native.ecdsaRecover(compact, recovery, digest, false),
    };
  },
  wasm: async () => {
    // The package's index compiles five modules where one is needed: 140 ms instead of 20.
    const { instantiateSecp256k1 } = await import('@bitauth/libauth/build/lib/crypto/secp256k1.js');
    const wasm = await instantiateSecp256k1();
    return {
      name: 'wasm',
      recover(compact, recovery, digest) {
        const publicKey = wasm.recoverPublicKeyUncompressed(compact, recovery, digest);
        // A refusal comes as text. What it throws is a trap or its memory's end.
        return typeof publicKey === 'string' ? undefined : publicKey;
      },
    };
  },
  noble: async () => {
    const { nobleEngine } = await import('../../shared/crypto/secp.js');
    return nobleEngine;
  },
};

/**
 * The engine that checks signatures. `auto` takes libsecp256k1 from the binary inside its package, or the same library as
 * WebAssembly where no binary fits this machine, and warns of it. It never falls to JavaScript: a node that is forty times
 * too slow falls behind its network without saying why, so that has to be asked for. Throws `engine-unavailable`.
 */
export async function loadEngine(choice: EngineChoice, parts: EngineParts): Promise<RecoveryEngine> {
  const { log } = parts;
  if (choice !== 'auto') {
    const engine = await loadWorking(choice, parts);
    if (choice === 'noble')
      log.warn('signatures are checked in JavaScript, as asked: about 40 times slower than native', { engine: choice });
    return engine;
  }
  let reason: string;
  try {
    return await loadWorking('native', parts);
  } catch (error) {
    reason = whyOf(error);
  }
  try {
    const engine = await loadWorking('wasm', parts);
    log.warn('no native secp256k1 works here; signatures are checked in WebAssembly, about 3 times slower', {
      engine: engine.name,
      reason,
    });
    return engine;
  } catch (error) {
    const detail = `native: ${reason}; wasm: ${whyOf(error)}`;
    throw new TrestleError({ code: 'engine-unavailable', engine: choice, detail }, { cause: error });
  }
}

/** An engine that has shown that it works: a binary may load on a machine for which it was not made. */
async function loadWorking(name: EngineName, { loaders = LOADERS }: EngineParts): Promise<RecoveryEngine> {
  try {
    const engine = await loaders[name]();
    requireWorking(engine);
    return engine;
  } catch (error) {
    throw new TrestleError({ code: 'engine-unavailable', engine: name, detail: firstLine(error) }, { cause: error });
  }
}

function whyOf(error: unknown): string {
  return error instanceof TrestleError && error.reason.code === 'engine-unavailable'
    ? error.reason.detail
    : firstLine(error);
}

/** The rest of such messages names folders of this machine. */
function firstLine(error: unknown): string {
  return String(error).split('\n', 1)[0] ?? '';
}
