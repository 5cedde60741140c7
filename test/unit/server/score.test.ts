import { expect, test } from 'vitest';
import { type Consequence, consequenceOf } from '../../../server/net/score.js';
import { toAmount } from '../../../shared/model/amount.js';
import { parseId, type TxId } from '../../../shared/model/ids.js';
import { outPointKey } from '../../../shared/model/outpoint.js';
import type { Reason } from '../../../shared/reasons.js';
import { present } from '../../kit/assertOk.js';

const outpoint = outPointKey({ txid: present(parseId<TxId>('11'.repeat(32))), index: 0 });

test.each<[string, Reason | null, Consequence]>([
  ['other coins than ours', { code: 'tx-input-missing', outpoint }, 'none'],
  ['another idea of a good fee', { code: 'pool-fee-too-low', fee: toAmount(0n), minimum: 1n }, 'none'],
  ['a clock ahead of ours', { code: 'header-time-future', timestamp: 2, latest: 1 }, 'none'],
  ['not having what was asked for', { code: 'not-found', detail: '' }, 'none'],
  ['being slow', { code: 'timeout', limitMs: 1 }, 'missed'],
  ['a full disk of its own', { code: 'store-full', directory: '' }, 'missed'],
  ['a broken machine', null, 'missed'],
  ['having forgotten our session', { code: 'unauthorized', detail: '' }, 'renew'],
  ['a forged signature', { code: 'tx-signature-invalid', signature: 0 }, 'drop'],
  ['a block from nothing', { code: 'block-coinbase-value', claimed: 2n, allowed: 1n }, 'drop'],
  ['an answer that breaks the contract', { code: 'peer-protocol', url: '', detail: '' }, 'drop'],
])('%s', (_what, reason, consequence) => {
  expect(consequenceOf(reason)).toBe(consequence);
});
