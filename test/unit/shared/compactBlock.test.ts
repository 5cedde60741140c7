import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../shared/bytes/hex.js';
import { MAX_BLOCK_BYTES, MAX_TRANSACTION_BYTES } from '../../../shared/consensus/params.js';
import { sipHash } from '../../../shared/crypto/sipHash.js';
import {
  type CompactBlock,
  compactBlockOf,
  decodeCompactBlock,
  encodeCompactBlock,
  MAX_COMPACT_BYTES,
  MAX_SHORT_IDS,
  shortIdsOf,
} from '../../../shared/model/compactBlock.js';
import { idFromBytes, type Wtxid } from '../../../shared/model/ids.js';
import { bodyLimit } from '../../../shared/rpc/limits.js';
import { present } from '../../kit/assertOk.js';
import { coinbase, testKey, transfer } from '../../kit/builders.js';
import { TestChain } from '../../kit/testChain.js';

const chain = new TestChain();
const [first] = chain.grow(chain.genesis, 1);
const block = present(first);
const compact = present(compactBlockOf(block));
const shortId = fc.integer({ min: 0, max: 2 ** 40 - 1 });

function withIds(ids: readonly number[]): CompactBlock {
  return { ...compact, ids };
}

describe('SipHash-2-4', () => {
  // The appendix of the paper, and lines of vectors_sip64 in the authors' reference code: key 00..0f, message 00..n-1.
  test.each([
    [0, '310e0edd47db6f72'],
    [1, 'fd67dc93c539f874'],
    [7, '37d1018bf50002ab'],
    [8, '6224939a79f5f593'],
    [15, 'e545be4961ca29a1'],
    [16, 'db9bc2577fcc2a3f'],
    [63, '724506eb4c328a95'],
  ])('of %i bytes is what its authors publish', (length, expected) => {
    const key = Uint8Array.from({ length: 16 }, (_, i) => i);
    const { low, high } = sipHash(
      key,
      Uint8Array.from({ length }, (_, i) => i),
    );
    const digest = new DataView(new ArrayBuffer(8));
    digest.setUint32(0, low, true);
    digest.setUint32(4, high, true);
    expect(toHex(new Uint8Array(digest.buffer))).toBe(expected);
  });

  test('comes to what the paper’s definition comes to in whole numbers of 64 bits, for any key and message', () => {
    const key = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(key, fc.uint8Array({ maxLength: 70 }), (k, message) => {
        const { low, high } = sipHash(k, message);
        expect((BigInt(high) << 32n) | BigInt(low)).toBe(plainSipHash(k, message));
      }),
    );
  });

  test('takes no key of another length', () => {
    expect(() => sipHash(new Uint8Array(15), new Uint8Array(1))).toThrow('16 bytes');
  });
});

describe('a compact block', () => {
  test('reads back as it was written, whatever its short ids are', () => {
    fc.assert(
      fc.property(fc.array(shortId, { maxLength: 300 }), (ids) => {
        const bytes = encodeCompactBlock(withIds(ids));
        const decoded = decodeCompactBlock(bytes);
        if (!decoded.ok) throw new Error(decoded.detail);
        expect(decoded.value.ids).toEqual(ids);
        expect(decoded.value.header.hash).toBe(block.header.hash);
        expect(decoded.value.coinbase.wtxid).toBe(compact.coinbase.wtxid);
        expect(encodeCompactBlock(decoded.value)).toEqual(bytes);
      }),
    );
  });

  test('does not decode where a byte is missing or too many', () => {
    const bytes = encodeCompactBlock(withIds([1, 2 ** 40 - 1]));
    for (let length = 0; length < bytes.length; length++)
      expect(decodeCompactBlock(bytes.subarray(0, length)).ok).toBe(false);
    expect(decodeCompactBlock(Uint8Array.of(...bytes, 0)).ok).toBe(false);
  });

  test('has one spelling: whatever bytes decode are written back as they were', () => {
    const bytes = encodeCompactBlock(withIds([7, 8, 9]));
    const change = fc.record({ at: fc.nat(bytes.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
        const changed = bytes.slice();
        for (const { at, to } of changes) changed[at] = to;
        const decoded = decodeCompactBlock(changed);
        if (decoded.ok) expect(encodeCompactBlock(decoded.value)).toEqual(changed);
      }),
    );
  });

  test('does not decode with a transfer in the place of the coinbase', () => {
    const genesis = chain.genesis.header.hash;
    const paid = transfer({
      genesis,
      spend: [chain.coinOf(block)],
      outputs: [{ address: testKey(2).address, value: 5n }],
    });
    const decoded = decodeCompactBlock(encodeCompactBlock({ ...compact, coinbase: paid }));
    expect(decoded).toMatchObject({ ok: false, detail: expect.stringContaining('no coinbase') });
    expect(compactBlockOf(chain.raw(block, [paid]))).toBeUndefined();
    expect(compactBlockOf(chain.raw(block, []))).toBeUndefined();
  });

  test('of any block that the rules allow fits an announcement', () => {
    const [owner, genesis] = [testKey(1), chain.genesis.header.hash];
    const smallest = transfer({
      genesis,
      spend: [chain.coinOf(block)],
      outputs: [{ address: owner.address, value: 1n }],
    });
    expect(MAX_SHORT_IDS).toBe(Math.floor(MAX_BLOCK_BYTES / smallest.raw.length));
    const tooMany = encodeCompactBlock(withIds(Array(MAX_SHORT_IDS + 1).fill(1)));
    expect(decodeCompactBlock(tooMany).ok).toBe(false);
    // The bytes of a coinbase are taken from those of the transfers.
    for (const coinbaseBytes of [compact.coinbase.raw.length, MAX_TRANSACTION_BYTES]) {
      const ids = Array(Math.floor((MAX_BLOCK_BYTES - coinbaseBytes) / smallest.raw.length)).fill(1);
      const { length } = encodeCompactBlock(withIds(ids));
      expect(length - compact.coinbase.raw.length + coinbaseBytes).toBeLessThanOrEqual(MAX_COMPACT_BYTES);
    }
    const announcement = {
      json: { header: 'x'.repeat(124), compact: 'x'.repeat(Math.ceil(MAX_COMPACT_BYTES / 3) * 4) },
    };
    expect(JSON.stringify(announcement).length).toBeLessThan(bodyLimit('block.announce'));
  });

  test('names a transaction differently in another block, so that nobody can make names that collide in advance', () => {
    const { wtxid } = coinbase({ params: chain.params, height: 1, address: testKey(1).address });
    const names = chain.grow(block, 20).map(({ header }) => shortIdsOf(header.hash)(wtxid));
    expect(new Set(names).size).toBe(20);
    for (const name of names) expect(name).toBeLessThan(2 ** 40);
    // The key is the end of the id: its beginning is zeros by the work.
    const tail = (start: number): string => toHex(fromHex(block.header.hash).fill(start, 0, 16));
    const [a, b] = [0, 1].map((start) => shortIdsOf(idFromBytes(fromHex(tail(start))))(wtxid as Wtxid));
    expect(a).toBe(b);
  });
});

/** The definition in section 2 of the paper, as plainly as can be. */
function plainSipHash(key: Uint8Array, message: Uint8Array): bigint {
  const wide = (n: bigint): bigint => BigInt.asUintN(64, n);
  const rotl = (n: bigint, by: bigint): bigint => wide(n << by) | (n >> (64n - by));
  const u64 = (bytes: Uint8Array, at: number): bigint =>
    new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true);
  const [k0, k1] = [u64(key, 0), u64(key, 8)];
  let [v0, v1] = [k0 ^ 0x736f6d6570736575n, k1 ^ 0x646f72616e646f6dn];
  let [v2, v3] = [k0 ^ 0x6c7967656e657261n, k1 ^ 0x7465646279746573n];
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      v0 = wide(v0 + v1);
      v1 = rotl(v1, 13n) ^ v0;
      v0 = rotl(v0, 32n);
      v2 = wide(v2 + v3);
      v3 = rotl(v3, 16n) ^ v2;
      v0 = wide(v0 + v3);
      v3 = rotl(v3, 21n) ^ v0;
      v2 = wide(v2 + v1);
      v1 = rotl(v1, 17n) ^ v2;
      v2 = rotl(v2, 32n);
    }
  };
  const padded = new Uint8Array(Math.floor(message.length / 8) * 8 + 8);
  padded.set(message);
  padded[padded.length - 1] = message.length;
  for (let at = 0; at < padded.length; at += 8) {
    const m = u64(padded, at);
    v3 ^= m;
    rounds(2);
    v0 ^= m;
  }
  v2 ^= 0xffn;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}
