import { sha256 } from '@noble/hashes/sha2.js';

/** A number below `limit` that follows from a secret and some texts, and that nobody without the secret can work out. */
export function saltedHash(salt: Uint8Array, texts: readonly string[], limit: number): number {
  const hash = sha256
    .create()
    .update(salt)
    .update(new TextEncoder().encode(texts.join('\n')))
    .digest();
  return new DataView(hash.buffer, hash.byteOffset).getUint32(0) % limit;
}
