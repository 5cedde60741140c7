import { expect, test } from 'vitest';
import { parseReason } from '../../shared/parseReason.js';
import { MEANINGS, type Reason, type ReasonCode } from '../../shared/reasons.js';
import { blockCases } from './blockCases.js';
import { headerCases } from './headerCases.js';
import { nodeCases } from './nodeCases.js';
import { peerCases } from './peerCases.js';
import { poolCases } from './poolCases.js';
import { txCases } from './txCases.js';
import { walletCases } from './walletCases.js';

/** The compiler refuses this table where a code has no case; the tests below show that each case ends in its code. */
const cases: Record<ReasonCode, () => Reason | null | Promise<Reason | null>> = {
  ...txCases,
  ...headerCases,
  ...blockCases,
  ...poolCases,
  ...peerCases,
  ...nodeCases,
  ...walletCases,
};

test.each(Object.entries(cases))('%s is what its case ends in', async (code, produce) => {
  const reason = await produce();
  expect(reason?.code).toBe(code);
  // The other side of a call understands it, figures and all.
  expect(parseReason(reason)).toEqual(reason);
});

test('no case is left over', () => {
  expect(Object.keys(cases).sort()).toEqual(Object.keys(MEANINGS).sort());
});
