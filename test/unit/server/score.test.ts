import { expect, test } from 'vitest';
import { isBadContents, type Penalty, penaltyOf, penaltyOfAnswer } from '../../../server/net/score.js';
import { toAmount } from '../../../shared/model/amount.js';
import { type BlockHash, parseId, type TxId } from '../../../shared/model/ids.js';
import { outPointKey } from '../../../shared/model/outpoint.js';
import type { Reason } from '../../../shared/reasons.js';
import { present } from '../../kit/assertOk.js';

const outpoint = outPointKey({ txid: present(parseId<TxId>('11'.repeat(32))), index: 0 });

test.each<[string, Reason | null, Penalty]>([
  ['other coins than ours', { code: 'tx-input-missing', outpoint }, 'none'],
  ['another idea of a good fee', { code: 'pool-fee-too-low', fee: toAmount(0n), minimum: 1n }, 'none'],
  ['a clock ahead of ours', { code: 'header-time-future', timestamp: 2, latest: 1 }, 'none'],
  ['not having what was asked for', { code: 'not-found', detail: '' }, 'none'],
  ['being slow', { code: 'timeout', limitMs: 1 }, 'missed'],
  ['a full disk of its own', { code: 'store-full', directory: '' }, 'missed'],
  ['a broken machine', null, 'missed'],
  ['having forgotten our session', { code: 'unauthorized', detail: '' }, 'renew'],
  ['being of another network', { code: 'peer-network', genesis: '', expected: '' }, 'unfit'],
  ['asking us to ask less', { code: 'peer-quota', retryMs: 1 }, 'missed'],
  ['a forged signature', { code: 'tx-signature-invalid', signature: 0 }, 'fatal'],
  ['a block from nothing', { code: 'block-coinbase-value', claimed: 2n, allowed: 1n }, 'fatal'],
  ['an answer that breaks the contract', { code: 'peer-protocol', url: '', detail: '' }, 'lie'],
])('%s', (_what, reason, penalty) => {
  expect(penaltyOf(reason)).toBe(penalty);
});

test('what a peer says of our own data proves nothing, and costs no more than its silence', () => {
  expect(penaltyOfAnswer({ code: 'tx-signature-invalid', signature: 0 })).toBe('missed');
  expect(penaltyOfAnswer({ code: 'peer-protocol', url: '', detail: '' })).toBe('lie');
  expect(
    penaltyOfAnswer({ code: 'pool-known', txid: present(parseId<TxId>('11'.repeat(32))), confirmedAt: null }),
  ).toBe('none');
});

test('a block that is relayed before it is judged may have bad contents, and no bad header, size or root', () => {
  expect(isBadContents({ code: 'block-coinbase-value', claimed: 2n, allowed: 1n })).toBe(true);
  expect(isBadContents({ code: 'block-tx', position: 1, reject: { code: 'tx-no-inputs' } })).toBe(true);
  const hash = present(parseId<BlockHash>('11'.repeat(32)));
  expect(isBadContents({ code: 'header-parent-invalid', previous: hash })).toBe(true);
  expect(isBadContents({ code: 'block-root', computed: '', claimed: '' })).toBe(false);
  expect(isBadContents({ code: 'block-too-large', size: 2, limit: 1 })).toBe(false);
  expect(isBadContents({ code: 'header-work', hash: present(parseId<BlockHash>('11'.repeat(32))), target: 1n })).toBe(
    false,
  );
});
