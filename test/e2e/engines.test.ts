import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createClient } from '../../client/createClient.js';
import { runCli } from '../support/cli.js';
import { servingCli } from '../support/servingCli.js';
import { temporaryDirectory } from '../support/temporary.js';

/** Where the native package looks for its binary: with this, as on a machine that it has none for. */
const NO_BINARY = { SECP256K1_PREBUILD: '/nonexistent', PREBUILDS_ONLY: '1' };

describe('a node on a machine without a native binary', () => {
  test('checks signatures in WebAssembly, and says so in its log and to whoever asks', async () => {
    await using home = await temporaryDirectory();
    await using node = await servingCli(['node', '--port', '0', '--data-dir', home.path], NO_BINARY);
    const self = await createClient({ url: node.url }).node.self.query();
    expect(self.signatureEngine).toBe('wasm');
    const said = await node.end();
    expect(said).toMatch(/"level":40.*"reason":"[^"]*No native build was found.*WebAssembly, about 3 times slower/);
    expect(said).toMatch(/"signatures":"wasm".*started/);
  });

  test('does not start where native was asked for', async () => {
    await using home = await temporaryDirectory();
    const args = [
      'node',
      '--port',
      '0',
      '--data-dir',
      join(home.path, 'data'),
      '--signature-engine',
      'native',
      '--json',
    ];
    const { code, json } = await runCli(args, NO_BINARY);
    expect(json).toMatchObject({ ok: false, error: { code: 'engine-unavailable', hint: expect.any(String) } });
    expect(code).toBe(1);
  });
});

test('a node checks signatures in JavaScript where it is told to, and warns', async () => {
  await using home = await temporaryDirectory();
  const args = ['node', '--port', '0', '--data-dir', home.path, '--signature-engine', 'noble'];
  await using node = await servingCli(args);
  expect((await createClient({ url: node.url }).node.self.query()).signatureEngine).toBe('noble');
  expect(await node.end()).toMatch(/"level":40.*JavaScript, as asked/);
});

test('an engine that there is not is a slip of the hand', async () => {
  const { code, json } = await runCli(['node', '--signature-engine', 'elliptic', '--json']);
  expect(json).toMatchObject({ ok: false, error: { code: 'usage' } });
  expect(code).toBe(2);
});
