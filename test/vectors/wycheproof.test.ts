import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { bigintFromBytes, bytesFromBigint } from '../../shared/bytes/bigEndian.js';
import { equalBytes } from '../../shared/bytes/compare.js';
import { fromHex } from '../../shared/bytes/hex.js';
import { checkSignatures } from '../../shared/consensus/checkInputs.js';
import { type RecoveryEngine, SIGNATURE_BYTES } from '../../shared/crypto/signature.js';
import { type Address, addressOfPublicKey } from '../../shared/model/address.js';
import { present } from '../kit/assertOk.js';
import { allEngines } from '../support/engines.js';
import { vectorFiles, whyNoVectors } from '../support/vectors.js';

const file = z.object({
  schema: z.string(),
  testGroups: z
    .array(
      z.object({
        /** Any other hash would make every verdict below a matter of chance. */
        sha: z.literal('SHA-256'),
        publicKey: z.object({ curve: z.literal('secp256k1'), uncompressed: z.string() }),
        tests: z.array(
          z.object({
            tcId: z.int(),
            msg: z.string(),
            sig: z.string(),
            result: z.enum(['valid', 'invalid', 'acceptable']),
          }),
        ),
      }),
    )
    .min(1),
});

const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

const why = whyNoVectors();
test.skipIf(why !== undefined)(
  `every engine judges the published signatures as it should${why === undefined ? '' : ` (${why})`}`,
  async () => {
    const engines = await allEngines();
    for (const { name, text } of vectorFiles('wycheproof')) {
      const { schema, testGroups } = file.parse(JSON.parse(text));
      for (const { publicKey, tests } of testGroups) {
        const owner = addressOfPublicKey(fromHex(publicKey.uncompressed));
        for (const { tcId, msg, sig, result } of tests) {
          const digest = createHash('sha256').update(fromHex(msg)).digest();
          const compact = compactOf(fromHex(sig), schema);
          // The vectors allow the upper half of s where it is not named "bitcoin"; our rules never do.
          const isLow = compact !== undefined && bigintFromBytes(compact.subarray(32)) <= HALF_ORDER;
          const expected = result === 'valid' && isLow;
          for (const engine of engines) {
            const accepted = compact !== undefined && isSignedBy(engine, { compact, digest, owner });
            expect(accepted, `${name} ${tcId} by ${engine.name}`).toBe(expected);
          }
        }
      }
    }
  },
);

/** Whether the rule that blocks are held to takes the signature, with one of the two recovery values. */
function isSignedBy(
  engine: RecoveryEngine,
  { compact, digest, owner }: { compact: Uint8Array; digest: Uint8Array; owner: Address },
): boolean {
  return [0, 1].some((recovery) => {
    const signature = new Uint8Array(SIGNATURE_BYTES);
    signature.set(compact);
    signature[64] = recovery;
    return checkSignatures(engine, { digest, signatures: [signature], owners: [owner] }).ok;
  });
}

/** The 64 bytes r || s, from either form in which the vectors come; `undefined` where there are none. */
function compactOf(signature: Uint8Array, schema: string): Uint8Array | undefined {
  if (schema.startsWith('ecdsa_p1363')) return signature.length === 64 ? signature : undefined;
  if (schema.startsWith('ecdsa')) return compactFromDer(signature);
  throw new Error(`signatures of schema ${schema} are not known here`);
}

/** Strict DER (BIP 66): one spelling for each pair of numbers. */
function compactFromDer(der: Uint8Array): Uint8Array | undefined {
  const numbers: bigint[] = [];
  let at = 2;
  for (let i = 0; i < 2; i++) {
    const length = der[at + 1] ?? 0;
    const bytes = der.subarray(at + 2, at + 2 + length);
    if (bytes.length !== length || length === 0 || length > 33) return undefined;
    numbers.push(bigintFromBytes(bytes));
    at += 2 + length;
  }
  const [r, s] = [present(numbers[0]), present(numbers[1])];
  if (r >> 256n !== 0n || s >> 256n !== 0n) return undefined;
  return equalBytes(derOf(r, s), der) ? Uint8Array.of(...bytesFromBigint(r, 32), ...bytesFromBigint(s, 32)) : undefined;
}

function derOf(r: bigint, s: bigint): Uint8Array {
  const body = [r, s].flatMap((number) => {
    const hex = number.toString(16);
    const bytes = fromHex(hex.length % 2 === 0 ? hex : `0${hex}`);
    const padded = (bytes[0] ?? 0) >= 0x80 ? [0, ...bytes] : [...bytes];
    return [0x02, padded.length, ...padded];
  });
  return Uint8Array.of(0x30, body.length, ...body);
}
