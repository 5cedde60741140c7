import { open as openFile, readFile, stat, writeFile } from 'node:fs/promises';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { callContext, incomingOf } from '../../../server/http/callers.js';
import { operatorToken, TOKEN_FILE } from '../../../server/http/operatorToken.js';
import { Lifecycle } from '../../../server/lifecycle.js';
import { Sessions } from '../../../server/net/sessions.js';
import { startNode } from '../../../server/node.js';
import { ownUrlOf } from '../../../server/ownUrl.js';
import { paceOf } from '../../../server/pace.js';
import { systemRandom } from '../../../server/system/random.js';
import { inlineSignatures } from '../../../server/system/signatures.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { nobleEngine } from '../../../shared/crypto/secp.js';
import { silentLog } from '../../kit/sim/silentLog.js';
import { failureFrom } from '../../support/failureFrom.js';
import { temporaryDirectory } from '../../support/temporary.js';

test('a request that takes longer than its limit is answered with timeout, however long its work goes on', async () => {
  let expire = (): void => {};
  const clock = {
    after: (_ms: number, action: () => void) => {
      expire = action;
      return () => {};
    },
  };
  const parts = { sessions: new Sessions(systemRandom), clock, operatorToken: '', remoteOperator: false };
  const { withTimeLimit } = callContext(incomingOf(new IncomingMessage(new Socket())), parts);
  const endless = failureFrom(withTimeLimit(new Promise(() => {})));
  expire();
  expect(await endless).toEqual({ code: 'timeout', limitMs: 5_000 });
  expect(await withTimeLimit(Promise.resolve(5))).toBe(5);
});

test('the operator’s token counts from this machine alone, unless remote operators are allowed', () => {
  const from = (remoteAddress: string, remoteOperator: boolean, authorization = 'Bearer secret') => {
    const socket = new Socket();
    Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
    const request = new IncomingMessage(socket);
    request.headers.authorization = authorization;
    const clock = { after: () => () => {} };
    const parts = { sessions: new Sessions(systemRandom), clock, operatorToken: 'secret', remoteOperator };
    return callContext(incomingOf(request), parts).caller.operator;
  };
  expect(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'].map((address) => from(address, false))).toEqual(
    Array(4).fill(true),
  );
  expect(from('10.0.0.5', false)).toBe(false);
  expect(from('10.0.0.5', true)).toBe(true);
  expect(
    ['Bearer wrong!', 'Bearer secre', 'Basic secret', 'secret', ''].map((text) => from('::1', true, text)),
  ).toEqual(Array(5).fill(false));
});

test('a new operator’s token goes into a new file: not into one that others have open, nor where a link leads', async () => {
  await using home = await temporaryDirectory();
  const file = join(home.path, TOKEN_FILE);
  await writeFile(file, 'no token', { mode: 0o666 });
  await using open = await openFile(file, 'r');
  const token = await operatorToken(home.path, systemRandom);
  expect(await open.readFile('utf8')).toBe('no token');
  expect(await readFile(file, 'utf8')).toBe(`${token}\n`);
  expect(await operatorToken(home.path, systemRandom)).toBe(token);
  if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('a setting that cannot be is named, before anything is opened', async () => {
  const config = { dataDir: '/nonexistent/never', port: 70_000, name: '' };
  const reason = await failureFrom((async () => startNode(NETWORKS.dev, config))());
  expect(reason).toMatchObject({ code: 'bad-request', detail: expect.stringMatching(/port: .*name: |name: .*port: /) });
});

test('parts end in the reverse order of their start, once, and one that fails does not keep the others', async () => {
  const ended: string[] = [];
  const life = new Lifecycle(silentLog);
  for (const name of ['store', 'chain', 'http'])
    life.add(name, {
      close: () => {
        ended.push(name);
        if (name === 'chain') throw new Error('stuck');
      },
    });
  await Promise.all([life.stop(), life.stop()]);
  await life.stopped;
  expect(ended).toEqual(['http', 'chain', 'store']);
});

test('a node that listens on every address has no URL but the one it is given', () => {
  expect(ownUrlOf(undefined, '0.0.0.0', 80)).toBeNull();
  expect(ownUrlOf('http://node.example:80', '0.0.0.0', 1)).toBe('http://node.example:80');
  expect(ownUrlOf(undefined, '127.0.0.1', 42)).toBe('http://127.0.0.1:42');
  expect(ownUrlOf(undefined, '::1', 42)).toBe('http://[::1]:42');
});

test('upkeep comes a few times for each block, within two and thirty seconds', () => {
  expect(Object.values(NETWORKS).map((params) => paceOf(params).upkeepMs)).toEqual([30_000, 6_000, 2_000]);
});

test('long signature checks let others have a turn', async () => {
  let [now, turns] = [0, 0];
  const clock = {
    monotonic: () => {
      now += 5;
      return now;
    },
    yield: async () => {
      turns += 1;
    },
  };
  const check = { digest: new Uint8Array(32), signatures: [], owners: [] };
  await inlineSignatures(nobleEngine, clock).check(Array(20).fill(check));
  expect(turns).toBeGreaterThanOrEqual(5);
});
