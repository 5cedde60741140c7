import { createHash } from 'node:crypto';

/** A number below `limit` that follows from a secret and some texts, and that nobody without the secret can work out. */
export function saltedHash(salt: Uint8Array, texts: readonly string[], limit: number): number {
  return createHash('sha256').update(salt).update(texts.join('\n')).digest().readUInt32BE(0) % limit;
}
