import type { Signatures } from '../../../server/ports.js';
import { loadEngine } from '../../../server/system/engines.js';
import { toHex } from '../../../shared/bytes/hex.js';
import { checkSignatures, type SignatureCheck } from '../../../shared/consensus/checkInputs.js';
import type { TxReject } from '../../../shared/consensus/reject.js';
import type { Verdict } from '../../../shared/verdict.js';
import { silentLog } from './silentLog.js';

/** Verdicts remembered. */
const MAX_KNOWN = 100_000;

const known = new Map<string, Verdict<void, TxReject>>();
let loaded: Promise<Signatures> | undefined;

/**
 * Signature checks that all simulated nodes share: the check is pure, and five nodes that check the same signature five
 * times prove nothing more. Everything that decides the verdict is part of the name it is remembered by.
 */
export function sharedSignatures(): Promise<Signatures> {
  loaded ??= loadEngine('auto', { log: silentLog }).then((engine) => ({
    engine: engine.name,
    check: async (checks) =>
      checks.map((check) => {
        const name = nameOf(check);
        const verdict = known.get(name) ?? checkSignatures(engine, check);
        if (known.size >= MAX_KNOWN) known.clear();
        known.set(name, verdict);
        return verdict;
      }),
  }));
  return loaded;
}

function nameOf({ digest, signatures, owners }: SignatureCheck): string {
  return [toHex(digest), ...signatures.map(toHex), ...owners].join('/');
}
