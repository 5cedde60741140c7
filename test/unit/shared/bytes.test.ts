import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBase64, toBase64 } from '../../../shared/bytes/base64.js';
import { bigintFromBytes, bytesFromBigint } from '../../../shared/bytes/bigEndian.js';
import { compareBytes, equalBytes } from '../../../shared/bytes/compare.js';
import { fromHex, parseHex, toHex } from '../../../shared/bytes/hex.js';
import { decodeExactly } from '../../../shared/bytes/reader.js';
import { ByteWriter } from '../../../shared/bytes/writer.js';

const bytes = fc.uint8Array({ maxLength: 300 });
const anyNumber = fc.oneof(fc.nat(300), fc.maxSafeNat());

describe('hex', () => {
  test('what is written reads back, and equals the platform’s own hex', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(fromHex(toHex(value))).toEqual(value);
        expect(toHex(value)).toBe(Buffer.from(value).toString('hex'));
      }),
    );
  });

  test.each([['AB'], ['abc'], ['0x00'], ['zz'], [' 00'], ['00\n']])('%j is refused', (text) => {
    expect(parseHex(text)).toBeUndefined();
  });

  test('bytes of our own that are no hex are a fault of ours', () => {
    expect(() => fromHex('ABCD')).toThrow('not lower-case hex: ABCD');
    expect(() => fromHex('x'.repeat(500))).toThrow(new RangeError(`not lower-case hex: ${'x'.repeat(80)}`));
  });

  test('a length that was asked for is held', () => {
    expect(parseHex('0011', 2)).toEqual(Uint8Array.of(0, 17));
    expect(parseHex('0011', 3)).toBeUndefined();
  });
});

describe('base64', () => {
  test('what is written reads back, and equals the platform’s own base64', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(parseBase64(toBase64(value))).toEqual(value);
        expect(toBase64(value)).toBe(Buffer.from(value).toString('base64'));
      }),
    );
  });

  test('a body of a whole block’s size survives', () => {
    const large = Uint8Array.from({ length: 2_000_000 }, (_, i) => i % 251);
    expect(equalBytes(parseBase64(toBase64(large)) ?? new Uint8Array(0), large)).toBe(true);
  });

  test.each([['AA'], ['AB=='], ['AA==\n'], [' AA=='], ['A-=='], ['!']])('%j is no second spelling', (text) => {
    expect(parseBase64(text)).toBeUndefined();
  });
});

test('byte strings are ordered as their hex is', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const [left, right] = [toHex(a), toHex(b)];
      expect(Math.sign(compareBytes(a, b))).toBe(left < right ? -1 : left > right ? 1 : 0);
      expect(equalBytes(a, b)).toBe(left === right);
    }),
  );
});

test('big-endian numbers read back, and their bytes are ordered as they are', () => {
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(u64, u64, (a, b) => {
      expect(bigintFromBytes(bytesFromBigint(a, 20))).toBe(a);
      expect(compareBytes(bytesFromBigint(a, 8), bytesFromBigint(b, 8)) < 0).toBe(a < b);
    }),
  );
  expect(() => bytesFromBigint(256n, 1)).toThrow(RangeError);
  expect(() => bytesFromBigint(-1n, 1)).toThrow(RangeError);
  expect(bytesFromBigint(255n, 1)).toEqual(Uint8Array.of(255));
  expect(bytesFromBigint(0n, 0)).toEqual(new Uint8Array(0));
});

test('a big-endian number of any length, in the middle of other bytes, is the number its hex spells', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(9), (value, before) => {
      const within = new Uint8Array(before + value.length + 3).fill(0xee);
      within.set(value, before);
      expect(bigintFromBytes(within.subarray(before, before + value.length))).toBe(BigInt(`0x0${toHex(value)}`));
    }),
  );
});

test('of two byte strings the first difference decides, and the longer comes after what it begins with', () => {
  expect(compareBytes(Uint8Array.of(1, 9), Uint8Array.of(2))).toBe(-1);
  expect(compareBytes(Uint8Array.of(7, 0), Uint8Array.of(7))).toBe(1);
  expect(compareBytes(Uint8Array.of(7), Uint8Array.of(7, 0, 0))).toBe(-2);
  expect(compareBytes(Uint8Array.of(200), Uint8Array.of(100))).toBe(100);
});

describe('reader and writer', () => {
  test('numbers and bytes written into a writer of any size read back in order', () => {
    const field = fc.oneof(
      fc.record({ kind: fc.constant('varint' as const), value: anyNumber }),
      fc.record({ kind: fc.constant('u8' as const), value: fc.nat(255) }),
      fc.record({ kind: fc.constant('u32' as const), value: fc.nat(0xffff_ffff) }),
      fc.record({ kind: fc.constant('u64' as const), value: anyNumber }),
      fc.record({ kind: fc.constant('bytes' as const), value: bytes }),
    );
    fc.assert(
      // A capacity below what is written makes the writer grow in the middle of a field.
      fc.property(fc.array(field), fc.nat(40), (fields, capacity) => {
        const writer = new ByteWriter(capacity);
        for (const { kind, value } of fields) {
          if (kind === 'bytes') writer.sized(value);
          else if (kind === 'u64') writer.u64(value);
          else if (kind === 'u32') writer.u32(value);
          else if (kind === 'u8') writer.u8(value);
          else writer.varint(value);
        }
        const decoded = decodeExactly(writer.finish(), (reader) =>
          fields.map(({ kind }) => {
            if (kind === 'bytes') return reader.bytes(reader.varint(1000)).slice();
            if (kind === 'u64') return Number(reader.u64());
            if (kind === 'u32') return reader.u32();
            return kind === 'u8' ? reader.u8() : reader.varint(Number.MAX_SAFE_INTEGER);
          }),
        );
        expect(decoded).toEqual({ ok: true, value: fields.map(({ value }) => value) });
      }),
    );
  });

  test('every number has one spelling: what decodes encodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 9 }), (input) => {
        const decoded = decodeExactly(input, (reader) => reader.varint(Number.MAX_SAFE_INTEGER));
        if (decoded.ok) expect(new ByteWriter().varint(decoded.value).finish()).toEqual(input);
      }),
    );
  });

  test.each([
    ['a longer spelling of 0', '8000', Number.MAX_SAFE_INTEGER],
    ['a longer spelling of 1', '818000', Number.MAX_SAFE_INTEGER],
    ['a number above its limit', '80808001', 1_000],
    ['2^53', '8080808080808010', Number.MAX_SAFE_INTEGER],
    ['nine groups', '808080808080808001', Number.MAX_SAFE_INTEGER],
    ['a number that breaks off', '80', Number.MAX_SAFE_INTEGER],
  ])('%s is refused', (_name, hex, max) => {
    expect(decodeExactly(fromHex(hex), (reader) => reader.varint(max)).ok).toBe(false);
  });

  test('a reader in the middle of other bytes reads its own, and says how far it is', () => {
    const bytes = Uint8Array.of(0xee, 1, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 5, 6, 0xee);
    const seen: unknown[] = [];
    const decoded = decodeExactly(bytes.subarray(1, -1), (reader) => {
      seen.push([reader.offset, reader.remaining]);
      const values = [reader.u8(), reader.u32(), reader.u64(), reader.bytes(2)];
      seen.push([reader.offset, reader.remaining], reader.since(13), reader.varint(6), reader.remaining);
      return values;
    });
    expect(decoded).toEqual({ ok: true, value: [1, 2, 3n, Uint8Array.of(4, 5)] });
    expect(seen).toEqual([[0, 16], [15, 1], Uint8Array.of(4, 5), 6, 0]);
  });

  test('each number may be as large as its limit, and not one more', () => {
    const u64 = (value: number) => new ByteWriter().u64(value).finish();
    const varint = (value: number) => new ByteWriter().varint(value).finish();
    fc.assert(
      fc.property(fc.oneof(fc.nat(300), fc.nat(Number.MAX_SAFE_INTEGER - 1)), (max) => {
        expect(decodeExactly(u64(max), (reader) => reader.u64AtMost(max))).toEqual({ ok: true, value: max });
        expect(decodeExactly(u64(max + 1), (reader) => reader.u64AtMost(max)).ok).toBe(false);
        expect(decodeExactly(varint(max), (reader) => reader.varint(max))).toEqual({ ok: true, value: max });
        expect(decodeExactly(varint(max + 1), (reader) => reader.varint(max)).ok).toBe(false);
      }),
    );
    const largest = Number.MAX_SAFE_INTEGER;
    expect(decodeExactly(varint(largest), (reader) => reader.varint(largest))).toEqual({ ok: true, value: largest });
    expect(decodeExactly(fromHex('ffffffffffffffff00'), (reader) => reader.varint(largest))).toMatchObject({
      detail: expect.stringContaining('too long'),
    });
  });

  test('as many items may follow as fit what is left, and not one more', () => {
    const bytes = (left: number) => Uint8Array.of(3, ...new Uint8Array(left));
    const counted = (left: number) =>
      decodeExactly(bytes(left), (reader) => [reader.count(10, 7), reader.bytes(reader.remaining).length]);
    expect(counted(21)).toEqual({ ok: true, value: [3, 21] });
    expect(counted(20)).toMatchObject({ ok: false, detail: expect.stringContaining('cannot fit') });
  });

  test('a refusal says what is wrong and at which byte', () => {
    const detailOf = (decoded: ReturnType<typeof decodeExactly>) => (decoded.ok ? undefined : decoded.detail);
    const three = Uint8Array.of(1, 2, 3);
    expect(detailOf(decodeExactly(three, (reader) => [reader.u8(), reader.u32()]))).toBe(
      '4 bytes wanted, 2 left (at byte 1)',
    );
    expect(detailOf(decodeExactly(three, (reader) => reader.u8()))).toBe('2 bytes too many (at byte 1)');
    expect(detailOf(decodeExactly(Uint8Array.of(0x80, 0), (reader) => reader.varint(1)))).toBe(
      'a number is not in its shortest form (at byte 2)',
    );
  });

  test('what a writer hands over is its own: what is written later does not change it', () => {
    const writer = new ByteWriter(8).u8(1);
    const first = writer.finish();
    expect(writer.length).toBe(1);
    writer.u32(7);
    expect([first, writer.length, writer.finish()]).toEqual([Uint8Array.of(1), 5, Uint8Array.of(1, 7, 0, 0, 0)]);
    first[0] = 9;
    expect(writer.finish()[0]).toBe(1);
  });

  test('bytes left over are refused', () => {
    expect(decodeExactly(Uint8Array.of(1, 2), (reader) => reader.u8()).ok).toBe(false);
  });

  test('a count that cannot fit what is left is refused before anything is allocated', () => {
    const claim = new ByteWriter().varint(0xffff_ffff).finish();
    const decoded = decodeExactly(claim, (reader) => reader.count(0xffff_ffff, 33));
    expect(decoded).toMatchObject({ ok: false, detail: expect.stringContaining('cannot fit') });
  });

  test('a fault of ours in a decoder is not taken for bad data', () => {
    expect(() =>
      decodeExactly(new Uint8Array(0), () => {
        throw new TypeError('a bug');
      }),
    ).toThrow(TypeError);
  });

  test('each number of a writer may be as large as its width', () => {
    const writer = new ByteWriter(0)
      .u8(255)
      .u32(0xffff_ffff)
      .u64(2n ** 64n - 1n)
      .varint(Number.MAX_SAFE_INTEGER);
    expect(toHex(writer.finish())).toBe(`${'ff'.repeat(1 + 4 + 8 + 7)}0f`);
    expect(toHex(new ByteWriter(0).u8(0).u32(0).u64(0n).varint(0).varint(127).varint(128).finish())).toBe(
      `${'00'.repeat(14)}7f8001`,
    );
  });

  test.each([
    ['u8', () => new ByteWriter().u8(256)],
    ['u8', () => new ByteWriter().u8(-1)],
    ['u32', () => new ByteWriter().u32(2 ** 32)],
    ['u32', () => new ByteWriter().u32(0.5)],
    ['u64', () => new ByteWriter().u64(2n ** 64n)],
    ['u64', () => new ByteWriter().u64(-1n)],
    ['varint', () => new ByteWriter().varint(2 ** 53)],
    ['fraction', () => new ByteWriter().varint(1.5)],
    ['negative', () => new ByteWriter().varint(-1)],
  ])('a %s out of range is a fault of ours and throws', (_name, write) => {
    expect(write).toThrow(RangeError);
  });
});
