import { describe, expect, test } from 'vitest';
import { describeEstimate, describeExplanation, describeStatus } from '../../../client/cli/insight.js';
import { toAmount } from '../../../shared/model/amount.js';
import { toHeight } from '../../../shared/model/height.js';
import { type BlockHash, parseId, type TxId, type Wtxid } from '../../../shared/model/ids.js';
import type { TransactionStatus } from '../../../shared/rpc/insightSchemas.js';
import { present } from '../../kit/assertOk.js';

const txid = present(parseId<TxId>('ab'.repeat(32)));
const other = present(parseId<TxId>('cd'.repeat(32)));
const hash = present(parseId<BlockHash>('00'.repeat(32)));
const at = 1_800_000_000_000;
const height = toHeight(7);

describe('the status of a transaction, as people read it', () => {
  const cases: readonly (readonly [TransactionStatus, string])[] = [
    [
      {
        ...{ state: 'pending', txid, firstSeen: at, fee: toAmount(1_500n), size: 200, feeRate: 7.5 },
        ahead: { count: 3, bytes: 640 },
      },
      `txid        ${txid}
state       pending
fee         0.000015 (7.5 base units/byte, 200 bytes)
first seen  2027-01-15T08:00:00.000Z
ahead       3 transactions, 640 bytes`,
    ],
    [
      { state: 'confirmed', txid, hash, height, position: 1, depth: 2 },
      `txid   ${txid}
state  confirmed in block 7 (2 deep)
block  ${hash}`,
    ],
    [
      { state: 'replaced', txid, at, code: 'pool-replaced', by: other },
      `txid   ${txid}
state  replaced
left   2027-01-15T08:00:00.000Z
why    another transaction that spends the same coin and pays more has taken its place [pool-replaced]
by     ${other}`,
    ],
    [
      { state: 'conflicted', txid, at, code: 'tx-input-missing', block: { hash, height, active: false } },
      `txid   ${txid}
state  conflicted
left   2027-01-15T08:00:00.000Z
why    a coin to be spent does not exist, or is spent already [tx-input-missing]
by     block 7 ${hash}, which has left the chain`,
    ],
    [
      { state: 'evicted', txid, at, code: 'pool-full' },
      `txid   ${txid}
state  evicted
left   2027-01-15T08:00:00.000Z
why    too many transactions wait, all paying at least as much [pool-full]`,
    ],
    [
      { state: 'unknown', txid },
      `txid   ${txid}
state  unknown: it never waited here, or left long ago`,
    ],
  ];

  test.each(cases)('$state', (status, text) => {
    expect(describeStatus(status)).toBe(text);
  });
});

test('an explanation names the rule that failed, what is missing and who is in the way', () => {
  const text = describeExplanation({
    ...{ accepted: false, txid, wtxid: present(parseId<Wtxid>('ef'.repeat(32))), size: 200 },
    ...{ fee: null, feeRate: null, missing: [`${other}:1`], conflicts: [other] },
    rules: [
      { code: 'tx-malformed', result: 'passed' },
      { code: 'tx-version', result: 'failed', reason: { code: 'tx-version', version: 2, highest: 1 } },
      { code: 'pool-full', result: 'not-reached' },
    ],
  });
  expect(text).toBe(`verdict   would be refused
txid      ${txid}
size      200 bytes
fee       -
fee rate  -
missing   ${other}:1
conflict  ${other}

rule          result
tx-malformed  passed
tx-version    FAILED  the transaction version is not allowed at this height (version 2, highest 1)
pool-full     -`);
});

test('an estimate names the rate and what it rests on, or why there is none', () => {
  expect(describeEstimate({ feeRate: 2.593_742_46, blocks: 6, samples: 81, reason: null })).toBe(
    '2.594 base units/byte to be confirmed within 6 blocks (81 transactions seen)',
  );
  expect(describeEstimate({ feeRate: null, blocks: 1, samples: 1, reason: 'too-little-data' })).toBe(
    'no estimate: too few transactions were seen (1 transaction seen)',
  );
  expect(describeEstimate({ feeRate: null, blocks: 1, samples: 50, reason: 'too-few-confirmed' })).toBe(
    'no estimate: at no rate were enough confirmed in the next block (50 transactions seen)',
  );
});
