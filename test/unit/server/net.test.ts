import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPrivateAddress, plainAddress } from '../../../server/net/addressPolicy.js';
import { httpDialer } from '../../../server/net/dialer.js';
import { parsePeerUrl } from '../../../server/net/peerUrl.js';
import { MAX_SESSIONS_PER_ADDRESS, Sessions } from '../../../server/net/sessions.js';
import { systemClock } from '../../../server/system/clock.js';
import { systemRandom } from '../../../server/system/random.js';
import { present } from '../../kit/assertOk.js';
import { failureFrom } from '../../support/failureFrom.js';

describe('peer URL', () => {
  test.each([
    ['http://127.0.0.1:42221', 'http://127.0.0.1:42221'],
    ['http://127.0.0.1:42221/', 'http://127.0.0.1:42221'],
    ['HTTP://Example.ORG', 'http://example.org:80'],
    ['https://example.org', 'https://example.org:443'],
    ['http://[::1]:80', 'http://[::1]:80'],
    // Octal, hexadecimal and short spellings of an address become the address they mean.
    ['http://0177.0.0.1:1', 'http://127.0.0.1:1'],
    ['http://0x7f.1:1', 'http://127.0.0.1:1'],
  ])('%s is %s', (text, url) => {
    expect(parsePeerUrl(text)).toBe(url);
  });

  test.each([
    ['127.0.0.1:1'],
    ['ftp://example.org'],
    ['file:///etc/passwd'],
    ['http://example.org/path'],
    ['http://127.0.0.1:1/x?#'],
    ['http://example.org:1?'],
    ['http://example.org:1#'],
    ['http://user@example.org'],
    ['http://:pass@example.org'],
    ['http://example.org:0'],
    ['http://example.org:99999'],
    ['http://example.org.:1'],
    ['http://a..b:1'],
    ['http://@example.org'],
    ['http://127.0.0.1:1@example.org'],
    ['http:example.org'],
    ['http:\\\\example.org'],
    ['http://exa\tmple.org'],
    [' http://example.org'],
    ['http://[fe80::1%25eth0]:1'],
    ['http://example.org:1/..'],
    [`http://${'a'.repeat(200)}.org`],
    [''],
  ])('%s is refused', (text) => {
    expect(parsePeerUrl(text)).toBeUndefined();
  });
});

describe('address policy', () => {
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '192.168.0.1',
    '172.31.255.255',
    '169.254.169.254',
    '0.0.0.0',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    // Translated and tunnelled IPv4, Teredo among them, and a zone.
    '64:ff9b::a00:1',
    '64:ff9b:1::a00:1',
    '::ffff:0:a00:1',
    '2002:a00:1::1',
    '2001:0:1::1',
    'fe80::1%eth0',
    '192.88.99.1',
    'no address',
  ])('%s leads into this machine or a private network', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  test.each(['1.1.1.1', '172.32.0.1', '192.169.0.1', '2606:4700:4700::1111', '::ffff:1.1.1.1'])(
    '%s does not',
    (address) => {
      expect(isPrivateAddress(address)).toBe(false);
    },
  );

  test('IPv4 that came over an IPv6 socket looks like IPv4', () => {
    expect(plainAddress('::ffff:10.0.0.1')).toBe('10.0.0.1');
    expect(plainAddress('::ffff:a00:1')).toBe('10.0.0.1');
    expect(plainAddress('fe80::1%eth0')).toBe('fe80::1');
    expect(plainAddress('2001:db8::1')).toBe('2001:db8::1');
  });
});

describe('dialer', () => {
  async function withServer(answer: RequestListener, run: (url: string) => Promise<void>): Promise<void> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await run(`http://127.0.0.1:${port}`).finally(() => {
      server.closeAllConnections();
      server.close();
    });
  }

  async function ping(url: string, options: { maxBytes?: number; timeoutMs?: number } = {}, allowPrivate = true) {
    const dialer = httpDialer({ allowPrivate, clock: systemClock, signal: new AbortController().signal });
    try {
      return await failureFrom(dialer.dial(present(parsePeerUrl(url)), options).node.ping.query());
    } finally {
      await dialer.close();
    }
  }

  test('an answer that is larger than its limit is not read to its end', async () => {
    await withServer(
      (_request, response) => void response.end(Buffer.alloc(50_000_000)),
      async (url) => {
        expect(await ping(url, { maxBytes: 100_000 })).toEqual({ code: 'too-large', limit: 100_000 });
      },
    );
  });

  test('an answer that is compressed is none, and is not made larger', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    await withServer(
      (_request, response) => void response.setHeader('content-encoding', 'gzip').end(bomb),
      async (url) => expect((await ping(url, { maxBytes: 100_000 })).code).toBe('peer-unreachable'),
    );
  });

  test('a redirect is not followed', async () => {
    let followed = false;
    await withServer(
      (request, response) => {
        if (request.url === '/elsewhere') followed = true;
        response.writeHead(307, { location: '/elsewhere' }).end();
      },
      async (url) => {
        expect((await ping(url)).code).toBe('peer-unreachable');
        expect(followed).toBe(false);
      },
    );
  });

  test.each([
    ['HTML', '<html>hello</html>'],
    ['nothing', ''],
    ['JSON that is no answer', '{"hello":1}'],
    ['a hostile superjson body', '{"result":{"data":{"json":[],"meta":{"values":{"0":["set"]}}}}}'],
  ])('%s is an answer that nobody can use, not a fault', async (_what, body) => {
    await withServer(
      (_request, response) => void response.setHeader('content-type', 'application/json').end(body),
      async (url) => {
        expect((await ping(url)).code).toMatch(/^(peer-unreachable|peer-protocol|bad-request)$/);
      },
    );
  });

  test('an answer that does not come ends with the time limit', async () => {
    await withServer(
      () => {},
      async (url) => {
        expect(await ping(url, { timeoutMs: 50 })).toEqual({ code: 'timeout', limitMs: 50 });
      },
    );
  });

  test('a call that is under way ends when the node stops', async () => {
    const stop = new AbortController();
    const dialer = httpDialer({ allowPrivate: true, clock: systemClock, signal: stop.signal });
    await withServer(
      () => stop.abort(),
      async (url) => {
        const call = dialer.dial(present(parsePeerUrl(url)), { timeoutMs: 60_000 }).node.ping.query();
        await expect(call).rejects.toThrow();
      },
    );
    await dialer.close();
  });

  describe('a name', () => {
    const A = '127.0.0.1';
    const parts = (allowPrivate: boolean) => ({
      allowPrivate,
      clock: systemClock,
      signal: new AbortController().signal,
    });

    /** Pings a server here by a name that resolves, each time it is asked for, to the next of these. */
    async function pingByName(answers: readonly (readonly string[])[], allowPrivate: boolean) {
      const asked: string[] = [];
      let called = 0;
      let code = '';
      await withServer(
        (_request, response) => {
          called += 1;
          // A connection of its own for each call.
          response.setHeader('connection', 'close').end('{}');
        },
        async (url) => {
          const dialer = httpDialer(parts(allowPrivate), async (host) => {
            const found = answers[asked.length] ?? [];
            asked.push(host);
            return found.map((address) => ({ address, family: 4 }));
          });
          const client = dialer.dial(present(parsePeerUrl(url.replace(A, 'peer.example.org'))));
          for (const _ of answers) ({ code } = await failureFrom(client.node.ping.query()));
          await dialer.close();
        },
      );
      return { asked, called, code };
    }

    test('is resolved once for a connection, and that is where the connection goes', async () => {
      const { asked, called } = await pingByName([[A]], true);
      expect([asked, called]).toEqual([['peer.example.org'], 1]);
    });

    test('that resolves to a private address, or to one among others, is not called', async () => {
      expect(await pingByName([[A]], false)).toMatchObject({ called: 0, code: 'peer-address' });
      expect(await pingByName([['1.1.1.1', A]], false)).toMatchObject({ called: 0, code: 'peer-address' });
    });

    test('is judged anew for each connection, for the next answer may be another (DNS rebinding)', async () => {
      const dialer = httpDialer(parts(false), async () => [{ address: '192.0.2.1', family: 4 }]);
      const url = present(parsePeerUrl('http://peer.example.org:42021'));
      expect(await failureFrom(dialer.resolve(url))).toMatchObject({ code: 'peer-address' });
      await dialer.close();
      let answers = 0;
      const turning = httpDialer(parts(false), async () => {
        answers += 1;
        return [{ address: answers === 1 ? '1.1.1.1' : A, family: 4 }];
      });
      expect(await turning.resolve(url)).toEqual(['1.1.1.1']);
      expect(await failureFrom(turning.dial(url).node.ping.query())).toMatchObject({ code: 'peer-address' });
      await turning.close();
    });

    test('that has no address is one that cannot be reached', async () => {
      expect(await pingByName([[]], true)).toMatchObject({ called: 0, code: 'peer-unreachable' });
    });
  });

  test('private addresses are not called unless that is allowed, as numbers or by name', async () => {
    let called = false;
    await withServer(
      (_request, response) => {
        called = true;
        response.end();
      },
      async (url) => {
        expect((await ping(url, {}, false)).code).toBe('peer-address');
        expect((await ping(url.replace('127.0.0.1', 'localhost'), {}, false)).code).toBe('peer-address');
        expect(called).toBe(false);
      },
    );
  });
});

test('sessions that anybody can open push out none of a peer that can be called back', () => {
  const sessions = new Sessions(systemRandom, () => true);
  const peer = sessions.open(present(parsePeerUrl('http://10.0.0.1:80')), '10.0.0.1');
  for (let i = 0; i < 2_000; i++) sessions.open(null, '10.0.0.2');
  expect(sessions.find(peer.token, '10.0.0.1')).toEqual(peer);
});

test('a session is found by its token, from where it was opened, and the oldest unused goes first', () => {
  const sessions = new Sessions(systemRandom, () => true);
  const session = sessions.open(null, '10.0.0.1');
  expect(sessions.find(session.token, '10.0.0.1')).toEqual(session);
  expect(sessions.find(session.token, '10.0.0.2')).toBeNull();
  expect(sessions.find('00', '10.0.0.1')).toBeNull();
  fc.assert(
    fc.property(fc.integer({ min: 512, max: 700 }), (count) => {
      for (let i = 0; i < count; i++) sessions.open(null, '10.0.0.3');
      expect(sessions.count).toBe(512);
    }),
    { numRuns: 3 },
  );
  expect(sessions.find(session.token, '10.0.0.1')).toBeNull();
});

test('one address holds few sessions of each kind, and pushes out its own alone, unless many nodes share it', () => {
  const sessions = new Sessions(systemRandom, (address) => address === '127.0.0.1');
  const other = sessions.open(null, '192.0.2.1');
  const first = sessions.open(null, '2001:db9::1');
  // All of one /64 are one customer's.
  for (let i = 0; i < 3 * MAX_SESSIONS_PER_ADDRESS; i++) sessions.open(null, `2001:db9::${i + 2}`);
  expect(sessions.count).toBe(1 + MAX_SESSIONS_PER_ADDRESS);
  expect(sessions.find(first.token, '2001:db9::1')).toBeNull();
  expect(sessions.find(other.token, '192.0.2.1')).toEqual(other);
  for (let i = 0; i < 2 * MAX_SESSIONS_PER_ADDRESS; i++) sessions.open(null, '127.0.0.1');
  expect(sessions.count).toBe(1 + 3 * MAX_SESSIONS_PER_ADDRESS);
});
