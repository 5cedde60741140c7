import { expect, test } from 'vitest';
import { differences, type NodeReport } from '../../../client/cli/devnet/report.js';
import { waitFor } from '../../../client/cli/devnet/wait.js';

const report: NodeReport = {
  name: 'A',
  url: 'http://a',
  height: 5,
  tip: 'ab',
  totalTransactions: 7,
  totalAddresses: 2,
  supply: 10n,
  richList: [{ address: '0x1', balance: 10n }],
  mempool: 5,
  peakRssMb: 100,
};

test('nodes that agree have no differences, whatever their addresses and memory', () => {
  expect(differences([report, { ...report, name: 'B', url: 'http://b', peakRssMb: 200 }])).toEqual([]);
});

test.each<[string, Partial<NodeReport>]>([
  ['height', { height: 6 }],
  ['tip', { tip: 'cd' }],
  ['totalTransactions', { totalTransactions: 8 }],
  ['totalAddresses', { totalAddresses: 3 }],
  ['supply', { supply: 11n }],
  ['richList', { richList: [{ address: '0x1', balance: 9n }] }],
  ['mempool', { mempool: 4 }],
])('a node with another %s is named', (field, change) => {
  const found = differences([report, { ...report, name: 'B', ...change }]);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(`${field}: A `);
});

test('waiting ends with what was waited for and the last failure, and at once on abort', async () => {
  const { signal } = new AbortController();
  const never = waitFor(() => Promise.reject(new Error('not yet')), { what: 'the moon', timeoutMs: 1, signal });
  await expect(never).rejects.toThrow('the moon: not within 1 ms: not yet');
  const aborted = AbortSignal.abort(new Error('interrupted'));
  const ended = waitFor(async () => false, { what: 'the moon', timeoutMs: 60_000, signal: aborted });
  await expect(ended).rejects.toThrow('interrupted');
});
