/** Bytes in a key. */
export const SIP_KEY_BYTES = 16;

/** A digest of 64 bits in two halves, each from 0 to 2^32-1. */
export interface SipDigest {
  readonly low: number;
  readonly high: number;
}

/**
 * SipHash-2-4 under a key of 16 bytes (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). In halves of 32
 * bits and without allocation in its loop: a node hashes every waiting transaction's name for each block it is told of.
 */
export function sipHash(key: Uint8Array, message: Uint8Array): SipDigest {
  if (key.length !== SIP_KEY_BYTES) throw new RangeError(`a key has ${SIP_KEY_BYTES} bytes, not ${key.length}`);
  const [k0l, k0h, k1l, k1h] = [word(key, 0), word(key, 4), word(key, 8), word(key, 12)];
  let [v0l, v0h, v1l, v1h] = [k0l ^ 0x70736575, k0h ^ 0x736f6d65, k1l ^ 0x6e646f6d, k1h ^ 0x646f7261];
  let [v2l, v2h, v3l, v3h] = [k0l ^ 0x6e657261, k0h ^ 0x6c796765, k1l ^ 0x79746573, k1h ^ 0x74656462];
  const { length } = message;
  const last = length - (length % 8);
  // Every whole block, the rest with the length in its last byte, and the end.
  for (let at = 0; at <= last + 8; at += 8) {
    const isEnd = at > last;
    const low = isEnd ? 0 : word(message, at);
    const high = isEnd ? 0 : at < last ? word(message, at + 4) : word(message, at + 4) | (length << 24);
    if (isEnd) v2l ^= 0xff;
    v3l ^= low;
    v3h ^= high;
    for (let round = isEnd ? 4 : 2; round > 0; round--) {
      let sum = (v0l >>> 0) + (v1l >>> 0);
      v0l = sum | 0;
      v0h = (v0h + v1h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
      let kept = v1l;
      v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
      v1h = ((v1h << 13) | (kept >>> 19)) ^ v0h;
      kept = v0l;
      v0l = v0h;
      v0h = kept;

      sum = (v2l >>> 0) + (v3l >>> 0);
      v2l = sum | 0;
      v2h = (v2h + v3h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
      kept = v3l;
      v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
      v3h = ((v3h << 16) | (kept >>> 16)) ^ v2h;

      sum = (v0l >>> 0) + (v3l >>> 0);
      v0l = sum | 0;
      v0h = (v0h + v3h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
      kept = v3l;
      v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
      v3h = ((v3h << 21) | (kept >>> 11)) ^ v0h;

      sum = (v2l >>> 0) + (v1l >>> 0);
      v2l = sum | 0;
      v2h = (v2h + v1h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
      kept = v1l;
      v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l;
      v1h = ((v1h << 17) | (kept >>> 15)) ^ v2h;
      kept = v2l;
      v2l = v2h;
      v2h = kept;
    }
    v0l ^= low;
    v0h ^= high;
  }
  return { low: (v0l ^ v1l ^ v2l ^ v3l) >>> 0, high: (v0h ^ v1h ^ v2h ^ v3h) >>> 0 };
}

/** Four bytes as a little-endian number; what lies beyond the end counts as zero. */
function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
