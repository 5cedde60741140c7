import fc from 'fast-check';
import { addressFromBytes } from '../../shared/model/address.js';
import { MAX_AMOUNT, toAmount } from '../../shared/model/amount.js';
import { encodeExtra, MAX_EXTRA_BYTES } from '../../shared/model/extra.js';
import type { HeaderFields } from '../../shared/model/header.js';
import { toHeight } from '../../shared/model/height.js';
import { type BlockHash, idFromBytes, type TxId } from '../../shared/model/ids.js';
import { MAX_OUTPUT_INDEX, type OutPoint } from '../../shared/model/outpoint.js';
import { MAX_TIMESTAMP } from '../../shared/model/timestamp.js';
import { type CoinbaseBody, sealTransaction, type TransferBody } from '../../shared/model/transaction.js';

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const timestamp = fc.oneof(
  fc.nat(1_000),
  fc.maxSafeNat().map((n) => n % MAX_TIMESTAMP),
);

/** Any owner of coins. */
export const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(addressFromBytes);
/** Any amount, small ones and the largest among them. */
export const amount = fc
  .oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: MAX_AMOUNT }))
  .map(toAmount);
/** Any outpoint. */
export const outpoint: fc.Arbitrary<OutPoint> = fc.record({
  txid: bytes32.map((bytes) => idFromBytes<TxId>(bytes)),
  index: fc.oneof(fc.nat(3), fc.nat(MAX_OUTPUT_INDEX)),
});
const output = fc.record({ address, value: amount });
const memo = fc.uint8Array({ maxLength: 90 });
const signature = fc.uint8Array({ minLength: 65, maxLength: 65 });

/** Any body of a transfer that the format has room for, sense or nonsense. */
export const transferBody: fc.Arbitrary<TransferBody> = fc.record({
  kind: fc.constant('transfer' as const),
  version: fc.nat(255),
  timestamp,
  inputs: fc.array(outpoint, { maxLength: 5 }),
  outputs: fc.array(output, { maxLength: 5 }),
  memo,
});

const extra = fc
  .array(fc.record({ tag: fc.nat(255), value: fc.uint8Array({ maxLength: 20 }) }), { maxLength: 4 })
  .filter((fields) => fields.reduce((sum, { value }) => sum + 2 + value.length, 0) <= MAX_EXTRA_BYTES)
  .map(encodeExtra);

/** Any body of a coinbase that the format has room for. */
export const coinbaseBody: fc.Arbitrary<CoinbaseBody> = fc.record({
  kind: fc.constant('coinbase' as const),
  version: fc.nat(255),
  timestamp,
  height: fc.nat(0xffff_ffff).map(toHeight),
  extra,
  outputs: fc.array(output, { maxLength: 3 }),
  memo,
});

/** Any transaction that the format has room for. */
export const transaction = fc
  .tuple(fc.oneof(transferBody, coinbaseBody), fc.array(signature, { maxLength: 3 }))
  .map(([body, signatures]) => sealTransaction(body, signatures));

/** Any header that the format has room for. */
export const headerFields: fc.Arbitrary<HeaderFields> = fc.record({
  version: fc.nat(0xffff_ffff),
  height: fc.nat(0xffff_ffff).map(toHeight),
  previous: bytes32.map((bytes) => idFromBytes<BlockHash>(bytes)),
  merkleRoot: bytes32,
  timestamp,
  bits: fc.nat(0xffff_ffff),
  nonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
});
