import { expect, test } from 'vitest';

// Imported within the tests: what throws while it is loaded then fails a test, and not only the file around it.
test('the rules load, and the built-in networks keep the rules of network files', async () => {
  const { NETWORKS } = await import('../../../shared/consensus/networks.js');
  expect(Object.keys(NETWORKS)).toEqual(['main', 'test', 'dev']);
  await import('../../../shared/consensus/index.js');
});

test('the codecs load', async () => {
  const { bytesFromBigint } = await import('../../../shared/bytes/bigEndian.js');
  const { parseBase64 } = await import('../../../shared/bytes/base64.js');
  expect([bytesFromBigint, parseBase64].map((each) => typeof each)).toEqual(['function', 'function']);
});
