import { expect, test } from 'vitest';

// Imported within the tests: what throws while it is loaded then fails a test, and not only the file around it.
test('the rules load, and the built-in networks keep the rules of network files', async () => {
  const { NETWORKS } = await import('../../../shared/consensus/networks.js');
  expect(Object.keys(NETWORKS)).toEqual(['main', 'test', 'dev']);
  const { genesisBlock } = await import('../../../shared/consensus/genesis.js');
  expect(genesisBlock(NETWORKS.dev).header.height).toBe(0);
});

test('the codecs load', async () => {
  const { bytesFromBigint } = await import('../../../shared/bytes/bigEndian.js');
  const { parseBase64 } = await import('../../../shared/bytes/base64.js');
  const { parseId } = await import('../../../shared/model/ids.js');
  expect(bytesFromBigint(1n, 1)).toEqual(Uint8Array.of(1));
  expect(parseBase64('AQ==')).toEqual(Uint8Array.of(1));
  expect(parseId('ab'.repeat(32))).toBe('ab'.repeat(32));
});
