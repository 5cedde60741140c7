import { fromHex } from '../bytes/hex.js';
import { type RecoveryEngine, recoverOwner } from './signature.js';

/** The transfer that `docs/PROTOCOL.md` works out byte by byte: its sighash, its signature, and whose key signed it. */
const DIGEST = fromHex('eb9995afde79d0f09602249fe9c3a69c6d1f726da80c5a5c2f2894960cc55ce4');
const SIGNATURE = fromHex(
  'c2b882b49a267b47bb8c90c1bb03601273bca11b1a8f4d5d162f3152bafd805f' +
    '6e1b3518c7d2cf51af224e6ae1563b634342190f4c8657e3ebf43e3b71882c0a01',
);
const OWNER = '0x9858effd232b4033e47d90003d41ec34ecaeda94';

/**
 * Throws where an engine does not recover a key that it must: a broken machine, and no verdict on anything.
 *
 * What an engine throws does not tell a bad signature from a fault of its own: each has its own errors, the same for both,
 * and a list of their messages would let a signature that raises an unlisted one stop every node that meets it. So nobody
 * judges the error. Whoever is about to refuse a signature asks the engine for something it must know, right then. That
 * costs one more check for each refused transaction, and finds wrong keys as well as throws: an engine whose memory is
 * damaged would otherwise condemn a valid block for good, and its node would leave the chain.
 */
export function requireWorking(engine: RecoveryEngine): void {
  const owner = recoverOwner(engine, DIGEST, SIGNATURE);
  if (owner !== OWNER) throw new Error(`the signature engine ${engine.name} is broken: it fails on a known signature`);
}
