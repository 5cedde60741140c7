import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../shared/bytes/hex.js';
import { checkSignatures, sighash } from '../../../shared/consensus/checkInputs.js';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { nobleEngine } from '../../../shared/crypto/secp.js';
import { MAX_AMOUNT, toAmount } from '../../../shared/model/amount.js';
import { decodeBlock, sealBlock } from '../../../shared/model/block.js';
import { decodeExtra, encodeExtra } from '../../../shared/model/extra.js';
import {
  decodeHeader,
  encodeHeader,
  HEADER_BYTES,
  NONCE_OFFSET,
  sealHeader,
  TIMESTAMP_OFFSET,
} from '../../../shared/model/header.js';
import { toHeight } from '../../../shared/model/height.js';
import { idBytes, idFromBytes, parseId, type TxId } from '../../../shared/model/ids.js';
import { MAX_OUTPUT_INDEX, outPointKey } from '../../../shared/model/outpoint.js';
import { MAX_TIMESTAMP } from '../../../shared/model/timestamp.js';
import {
  decodeTransaction,
  inputsOf,
  isCoinbase,
  isTransfer,
  outputValue,
  sealTransaction,
  txidOf,
} from '../../../shared/model/transaction.js';
import { assertRefused, present } from '../../kit/assertOk.js';
import { testKey, transfer } from '../../kit/builders.js';
import * as arbitrary from '../../support/arbitraries.js';

describe('transaction', () => {
  test('what is encoded decodes to the same, ids and bytes', () => {
    fc.assert(
      fc.property(arbitrary.transaction, (transaction) => {
        expect(decodeTransaction(transaction.raw)).toEqual({ ok: true, value: transaction });
      }),
    );
  });

  test('cut off at any byte it does not decode, nor with a byte too many', () => {
    fc.assert(
      fc.property(arbitrary.transaction, ({ raw }) => {
        for (let end = 0; end < raw.length; end++) expect(decodeTransaction(raw.subarray(0, end)).ok).toBe(false);
        expect(decodeTransaction(Uint8Array.of(...raw, 0)).ok).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  test('any bytes either decode and encode to the same bytes, or are refused', () => {
    const mutated = fc
      .tuple(arbitrary.transaction, fc.nat(), fc.nat(255))
      .map(([{ raw }, at, byte]) => raw.with(at % raw.length, byte));
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const decoded = decodeTransaction(bytes);
        if (!decoded.ok) return;
        expect(sealTransaction(decoded.value.body, decoded.value.signatures).raw).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a hundred thousand random buffers never raise anything but a refusal', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 120 }), { minLength: 1_000, maxLength: 1_000 }), (buffers) => {
        for (const bytes of buffers) expect(typeof decodeTransaction(bytes).ok).toBe('boolean');
      }),
      { numRuns: 100 },
    );
  });

  test('a count of four billion inputs is refused at once', () => {
    const claim = fromHex(`0100${'00'.repeat(8)}ffffffff0f`);
    expect(decodeTransaction(claim)).toMatchObject({ ok: false, detail: expect.stringContaining('cannot fit') });
  });

  test('the txid does not cover the signatures, the wtxid does', () => {
    fc.assert(
      fc.property(arbitrary.transferBody, (body) => {
        const [one, other] = [new Uint8Array(65).fill(1), new Uint8Array(65).fill(2)];
        const [a, b] = [sealTransaction(body, [one]), sealTransaction(body, [other])];
        expect(a.txid).toBe(b.txid);
        expect(a.wtxid).not.toBe(b.wtxid);
      }),
    );
  });

  test('any committed byte flipped breaks the signature, and so do another network, owner or value', () => {
    const { hash } = genesisBlock(NETWORKS.dev).header;
    const key = testKey(5);
    const outpoint = { txid: present(parseId<TxId>('11'.repeat(32))), index: 3 };
    const coin = { address: key.address, value: toAmount(500n) };
    const signed = transfer({
      genesis: hash,
      spend: [{ outpoint, coin, key }],
      outputs: [{ address: testKey(6).address, value: 400n }],
      memo: Uint8Array.of(1, 2, 3),
    });
    const isSigned = (txid: typeof signed.txid, genesis = hash, spent = [coin]): boolean => {
      const digest = sighash(genesis, txid, spent);
      return checkSignatures(nobleEngine, { digest, signatures: signed.signatures, owners: [key.address] }).ok;
    };
    expect(isSigned(signed.txid)).toBe(true);
    expect(isSigned(signed.txid, genesisBlock(NETWORKS.test).header.hash)).toBe(false);
    expect(isSigned(signed.txid, hash, [{ ...coin, value: toAmount(501n) }])).toBe(false);
    expect(isSigned(signed.txid, hash, [{ ...coin, address: testKey(7).address }])).toBe(false);
    const committed = signed.raw.length - 1 - 65;
    for (let at = 0; at < committed; at++) {
      const changed = decodeTransaction(signed.raw.with(at, (signed.raw[at] ?? 0) ^ 1));
      if (changed.ok) expect(isSigned(changed.value.txid), `byte ${at}`).toBe(false);
    }
    for (let at = committed + 1; at < signed.raw.length; at++) {
      const changed = decodeTransaction(signed.raw.with(at, (signed.raw[at] ?? 0) ^ 1));
      const digest = sighash(hash, signed.txid, [coin]);
      const signatures = changed.ok ? changed.value.signatures : [];
      const verdict = checkSignatures(nobleEngine, { digest, signatures, owners: [key.address] });
      expect(assertRefused(verdict).code, `byte ${at}`).toMatch(/^tx-signature-(invalid|owner)$/);
    }
  });
});

describe('transaction, at its limits', () => {
  const empty = { version: 1, timestamp: 0, outputs: [], memo: new Uint8Array(0) };
  const detailOf = (hex: string): string | undefined => {
    const decoded = decodeTransaction(fromHex(hex));
    return decoded.ok ? undefined : decoded.detail;
  };

  test('the smallest has 14 bytes', () => {
    const bare = sealTransaction({ ...empty, kind: 'transfer', inputs: [] }, []);
    expect(toHex(bare.raw)).toBe(`0100${'00'.repeat(12)}`);
    expect(decodeTransaction(bare.raw)).toEqual({ ok: true, value: bare });
  });

  test('a kind that is neither transfer nor coinbase is refused', () => {
    expect(detailOf(`0102${'00'.repeat(12)}`)).toMatch(/^kind 2 is neither transfer nor coinbase/);
  });

  test('timestamp, index, value and extra may be as large as their limits, and not one more', () => {
    const txid = present(parseId<TxId>('11'.repeat(32)));
    const { address } = testKey(1);
    const whole = (timestamp: number, index: number, value: bigint) =>
      sealTransaction(
        {
          ...empty,
          kind: 'transfer',
          timestamp,
          inputs: [{ txid, index }],
          outputs: [{ address, value: toAmount(value) }],
        },
        [],
      );
    const largest = whole(MAX_TIMESTAMP, MAX_OUTPUT_INDEX, MAX_AMOUNT);
    expect(decodeTransaction(largest.raw)).toEqual({ ok: true, value: largest });
    expect(decodeTransaction(whole(MAX_TIMESTAMP + 1, 0, 1n).raw).ok).toBe(false);
    expect(decodeTransaction(whole(0, MAX_OUTPUT_INDEX + 1, 1n).raw).ok).toBe(false);
    const tooMuch = toHex(largest.raw).replace('ffffffffffffff0f', '8080808080808010');
    expect(detailOf(tooMuch)).toMatch(/^9007199254740992 is above/);
    const extraOf = (length: number) => {
      const extra = Uint8Array.from([1, length - 2, ...new Uint8Array(length - 2)]);
      return decodeTransaction(sealTransaction({ ...empty, kind: 'coinbase', height: toHeight(1), extra }, []).raw);
    };
    expect([extraOf(96).ok, extraOf(97).ok]).toEqual([true, false]);
  });

  test('an extra that is no list of fields is refused', () => {
    const extra = Uint8Array.of(1, 2, 3);
    const { raw } = sealTransaction({ ...empty, kind: 'coinbase', height: toHeight(1), extra }, []);
    expect(detailOf(toHex(raw))).toMatch(/^extra: 2 bytes wanted, 1 left/);
  });

  test('more inputs, outputs or signatures than could fit what is left are refused at their count', () => {
    const start = `0100${'00'.repeat(8)}`;
    const cannotFit = /^1 items cannot fit/;
    expect(detailOf(`${start}01${'00'.repeat(32)}`)).toMatch(cannotFit);
    expect(detailOf(`${start}01${'00'.repeat(33)}`)).not.toMatch(cannotFit);
    expect(detailOf(`${start}0001${'00'.repeat(20)}`)).toMatch(cannotFit);
    expect(detailOf(`${start}0001${'00'.repeat(21)}`)).not.toMatch(cannotFit);
    expect(detailOf(`${start}00000001${'00'.repeat(64)}`)).toMatch(cannotFit);
    expect(detailOf(`${start}00000001${'00'.repeat(65)}`)).toBeUndefined();
  });

  test('the sum of its outputs is what it pays, its inputs are what it spends', () => {
    fc.assert(
      fc.property(arbitrary.transaction, (transaction) => {
        const { body } = transaction;
        expect(outputValue(transaction)).toBe(body.outputs.reduce((sum, { value }) => sum + value, 0n));
        expect(inputsOf(transaction)).toEqual(body.kind === 'transfer' ? body.inputs : []);
        expect([isTransfer(transaction), isCoinbase(transaction)]).toEqual([
          body.kind === 'transfer',
          body.kind === 'coinbase',
        ]);
        expect(txidOf(body)).toBe(transaction.txid);
      }),
    );
  });
});

describe('ids and heights', () => {
  test('an id is 64 digits of lower-case hex, 32 bytes', () => {
    const good = '0123456789abcdef'.repeat(4);
    expect(parseId(good)).toBe(good);
    for (const bad of ['', good.slice(1), `${good}0`, ` ${good}`, good.toUpperCase(), `${good.slice(1)}g`])
      expect(parseId(bad), bad).toBeUndefined();
    expect(idBytes(idFromBytes(new Uint8Array(32).fill(7)))).toEqual(new Uint8Array(32).fill(7));
    for (const length of [0, 31, 33]) expect(() => idFromBytes(new Uint8Array(length))).toThrow(RangeError);
  });

  test('an outpoint is shown as its id and its index', () => {
    const txid = idFromBytes<TxId>(new Uint8Array(32).fill(0xab));
    expect(outPointKey({ txid, index: 300 })).toBe(`${'ab'.repeat(32)}:300`);
  });

  test('a height is a u32', () => {
    expect([0, 0xffff_ffff].map(toHeight)).toEqual([0, 0xffff_ffff]);
    for (const bad of [-1, 0x1_0000_0000, 0.5, Number.NaN])
      expect(() => toHeight(bad)).toThrow(`${bad} is not a height`);
  });
});

describe('extra', () => {
  test('fields read back; bytes that are no fields, or too many, are refused', () => {
    const fields = [
      { tag: 1, value: Uint8Array.of(9, 9) },
      { tag: 200, value: new Uint8Array(0) },
    ];
    expect(decodeExtra(encodeExtra(fields))).toEqual({ ok: true, value: fields });
    expect(decodeExtra(Uint8Array.of(1)).ok).toBe(false);
    expect(decodeExtra(Uint8Array.of(1, 2, 3)).ok).toBe(false);
    expect(decodeExtra(Uint8Array.from([1, 95, ...new Uint8Array(95)])).ok).toBe(false);
    expect(() => encodeExtra([{ tag: 1, value: new Uint8Array(95) }])).toThrow(RangeError);
    const full = [{ tag: 1, value: new Uint8Array(94) }];
    expect(encodeExtra(full)).toHaveLength(96);
    expect(decodeExtra(encodeExtra(full))).toEqual({ ok: true, value: full });
    expect(decodeExtra(new Uint8Array(0))).toEqual({ ok: true, value: [] });
    // Well-formed, and one byte too long: two fields of 48 and 49 bytes.
    expect(decodeExtra(Uint8Array.from([1, 46, ...new Uint8Array(46), 1, 47, ...new Uint8Array(47)])).ok).toBe(false);
  });
});

describe('header', () => {
  test('what is encoded decodes to the same, in 92 bytes', () => {
    fc.assert(
      fc.property(arbitrary.headerFields, (fields) => {
        const bytes = encodeHeader(fields);
        expect(bytes).toHaveLength(HEADER_BYTES);
        expect(decodeHeader(bytes)).toEqual({ ok: true, value: sealHeader(fields) });
      }),
    );
  });

  test('timestamp and nonce stand where a miner writes them', () => {
    fc.assert(
      fc.property(arbitrary.headerFields, (fields) => {
        const view = new DataView(encodeHeader(fields).buffer);
        expect(view.getBigUint64(TIMESTAMP_OFFSET, true)).toBe(BigInt(fields.timestamp));
        expect(view.getBigUint64(NONCE_OFFSET, true)).toBe(fields.nonce);
      }),
    );
  });

  test('it keeps nothing of the bytes it was read from', () => {
    const { header } = genesisBlock(NETWORKS.dev);
    const bytes = encodeHeader(header);
    const decoded = decodeHeader(bytes);
    bytes.fill(0);
    expect(decoded).toEqual({ ok: true, value: header });
  });

  test('91 and 93 bytes are refused, and a timestamp no Date can hold', () => {
    const bytes = encodeHeader(genesisBlock(NETWORKS.dev).header);
    expect(decodeHeader(bytes.subarray(0, 91)).ok).toBe(false);
    expect(decodeHeader(Uint8Array.of(...bytes, 0)).ok).toBe(false);
    expect(decodeHeader(bytes.with(TIMESTAMP_OFFSET + 7, 0xff)).ok).toBe(false);
  });
});

describe('block', () => {
  const block = fc
    .tuple(arbitrary.headerFields, fc.array(arbitrary.transaction, { maxLength: 4 }))
    .map(([fields, transactions]) => sealBlock(sealHeader(fields), transactions));

  test('what is encoded decodes to the same', () => {
    fc.assert(
      fc.property(block, (whole) => {
        expect(decodeBlock(whole.raw)).toEqual({ ok: true, value: whole });
      }),
    );
  });

  test('a header that is none is told as such; more transactions than could fit are refused at their count', () => {
    const { header } = genesisBlock(NETWORKS.dev);
    const bytes = encodeHeader(header);
    const late = decodeBlock(Uint8Array.of(...bytes.with(TIMESTAMP_OFFSET + 7, 0xff), 0));
    expect(late).toMatchObject({ ok: false, detail: expect.stringMatching(/^header: /) });
    const claiming = (left: number) => decodeBlock(Uint8Array.of(...bytes, 1, ...new Uint8Array(left)));
    expect(claiming(13)).toMatchObject({ detail: expect.stringContaining('cannot fit') });
    expect(claiming(14)).toMatchObject({ ok: true });
    expect(decodeBlock(Uint8Array.of(...bytes, 0))).toEqual({ ok: true, value: sealBlock(header, []) });
  });

  test('cut off at any byte it does not decode, nor with a byte too many', () => {
    fc.assert(
      fc.property(block, ({ raw }) => {
        for (let end = 0; end < raw.length; end++) expect(decodeBlock(raw.subarray(0, end)).ok).toBe(false);
        expect(decodeBlock(Uint8Array.of(...raw, 0)).ok).toBe(false);
      }),
      { numRuns: 20 },
    );
  });
});

describe('frozen formats', () => {
  // These bytes and hashes are the format. A change here splits every network that runs.
  test('genesis of each network', () => {
    const hashes = Object.fromEntries(
      Object.entries(NETWORKS).map(([name, params]) => [name, genesisBlock(params).header.hash]),
    );
    expect(hashes).toEqual({
      main: 'cf0c72775db2f8e10d7b4842d67b8cae661441f9a729428ecd29311aeb8d189e',
      test: 'dbd27a944a982967fd0e776acc9c0529bfb97151ac38093d9d39db517b0ac094',
      dev: '1f8e3c756571b6f8085667d242fd6d3689b8eb9d9aa143b50ab91b08fd1a8f93',
    });
  });

  test('a transfer, byte by byte', () => {
    const key = testKey(1);
    const signed = transfer({
      genesis: genesisBlock(NETWORKS.dev).header.hash,
      spend: [
        {
          outpoint: { txid: present(parseId<TxId>('ab'.repeat(32))), index: 300 },
          coin: { address: key.address, value: toAmount(1000n) },
          key,
        },
      ],
      outputs: [{ address: testKey(2).address, value: 900n }],
      timestamp: 1_700_000_000_000,
      memo: Uint8Array.of(0x68, 0x69),
    });
    expect(toHex(signed.raw)).toBe(
      [
        '01', // version
        '00', // kind: transfer
        '0068e5cf8b010000', // timestamp
        '01', // inputs
        `${'ab'.repeat(32)}ac02`, // outpoint: txid, index 300
        '01', // outputs
        '2b5ad5c4795c026514f8317c7a215e218dccd6cf8407', // address, value 900
        '026869', // memo
        '01', // signatures
        '46f9cf0f4ecd7ecb79ec568082f304c4c7b982a97ab46c8017f5eb5005260421799745181c4225e274dbf939cef401b3a834298b6319a14f49902c41762d5cda00',
      ].join(''),
    );
    expect(signed.txid).toBe('ad2870104397ccbcec78a5fdca9e6fd9bbb4106e94814f8dc11d87f9ec7bc652');
    expect(signed.wtxid).toBe('a7fe92ddf1ce3a1f2b3c42180d5752af909cb5df8d95f86728b34d0d2f443c1b');
  });
});
