import { formatCoins } from '../../shared/model/amount.js';
import { describeReason, MEANINGS } from '../../shared/reasons.js';
import type {
  FeeEstimateView,
  RuleVerdict,
  TransactionExplanation,
  TransactionStatus,
} from '../../shared/rpc/insightSchemas.js';
import { table } from './output.js';

const RESULTS: Readonly<Record<RuleVerdict['result'], string>> = {
  passed: 'passed',
  failed: 'FAILED',
  'not-reached': '-',
};

/** What has become of a transaction, for people. */
export function describeStatus(status: TransactionStatus): string {
  return table([['txid', status.txid], ...statusRows(status)]);
}

/** What the rules say to a transaction, for people. */
export function describeExplanation(explanation: TransactionExplanation): string {
  const { accepted, txid, size, fee, feeRate, missing, conflicts, rules } = explanation;
  const facts = [
    ['verdict', accepted ? 'would be accepted' : 'would be refused'],
    ['txid', txid ?? '-'],
    ['size', `${size} bytes`],
    ['fee', fee === null ? '-' : formatCoins(fee)],
    ['fee rate', feeRate === null ? '-' : rateText(feeRate)],
    ...missing.map((outpoint) => ['missing', outpoint]),
    ...conflicts.map((rival) => ['conflict', rival]),
  ];
  const verdicts = rules.map((rule) => [
    rule.code,
    RESULTS[rule.result],
    rule.result === 'failed' ? describeReason(rule.reason) : '',
  ]);
  return `${table(facts)}\n\n${table([['rule', 'result', ''], ...verdicts])}`;
}

/** What to pay, or why nobody knows, for people. */
export function describeEstimate({ feeRate, blocks, samples, reason }: FeeEstimateView): string {
  const within = blocks === 1 ? 'in the next block' : `within ${blocks} blocks`;
  const seen = `${samples} ${samples === 1 ? 'transaction' : 'transactions'} seen`;
  if (feeRate !== null) return `${rateText(feeRate)} to be confirmed ${within} (${seen})`;
  const why =
    reason === 'too-few-confirmed' ? `at no rate were enough confirmed ${within}` : 'too few transactions were seen';
  return `no estimate: ${why} (${seen})`;
}

function statusRows(status: TransactionStatus): string[][] {
  switch (status.state) {
    case 'unknown':
      return [['state', 'unknown: it never waited here, or left long ago']];
    case 'pending': {
      const { fee, size, feeRate, firstSeen, ahead } = status;
      return [
        ['state', 'pending'],
        ['fee', `${formatCoins(fee)} (${rateText(feeRate)}, ${size} bytes)`],
        ['first seen', timeText(firstSeen)],
        ['ahead', `${ahead.count} transactions, ${ahead.bytes} bytes`],
      ];
    }
    case 'confirmed':
      return [
        ['state', `confirmed in block ${status.height} (${status.depth} deep)`],
        ['block', status.hash],
      ];
    default: {
      const { state, at, code } = status;
      return [['state', state], ['left', timeText(at)], ['why', `${MEANINGS[code]} [${code}]`], ...rivalRows(status)];
    }
  }
}

function rivalRows(status: TransactionStatus): string[][] {
  if (status.state === 'replaced' && status.by !== null) return [['by', status.by]];
  if (status.state !== 'conflicted' || status.block === null) return [];
  const { hash, height, active } = status.block;
  return [['by', `block ${height} ${hash}${active ? '' : ', which has left the chain'}`]];
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function rateText(rate: number): string {
  return `${Number(rate.toFixed(3))} base units/byte`;
}
