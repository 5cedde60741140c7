import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { bodyLimit, MAX_BATCH } from '../../shared/rpc/limits.js';
import type { Dice } from './dice.js';
import type { Failure } from './run.js';
import type { Target } from './target.js';

/** How long a connection may stay open after its sender is done: Node's limit on slow headers and the check's interval. */
const OPEN_MS = 15_000;
const CONCURRENCY = 16;
const MAX_KEPT = 100_000;

const line = (path = '/trpc/info.chain', method = 'POST'): string =>
  `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
const JSON_TYPE = 'Content-Type: application/json\r\n';

/** What breaks HTTP itself, each by name. */
function attacks(): readonly (readonly [name: string, bytes: string | Uint8Array])[] {
  const large = 'x'.repeat(bodyLimit('block.submit') + 1);
  const batch = (count: number): string => Array(count).fill('info.chain').join();
  const chunked = `${line()}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n`;
  const bomb = gzipSync(Buffer.alloc(20_000_000));
  return [
    ['a length of ten gigabytes', `${line()}${JSON_TYPE}Content-Length: 10000000000\r\n\r\n{}`],
    ['a body over the limit', `${line()}${JSON_TYPE}Content-Length: ${large.length}\r\n\r\n${large}`],
    ['a body over the limit, without length', `${chunked}${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`],
    [
      'a block over the limit',
      `${line('/trpc/block.submit')}${JSON_TYPE}Content-Length: ${large.length}\r\n\r\n${large}`,
    ],
    [
      'a gzip bomb',
      Buffer.concat([
        Buffer.from(`${line()}${JSON_TYPE}Content-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`),
        bomb,
      ]),
    ],
    ['a chunk size that is none', `${chunked}ZZ\r\n{}\r\n0\r\n\r\n`],
    ['a chunk of 2^64 bytes', `${chunked}FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n`],
    ['a chunk shorter than it says', `${chunked}100\r\n{}\r\n0\r\n\r\n`],
    ['a chunk longer than it says', `${chunked}1\r\n{}{}{}\r\n0\r\n\r\n`],
    ['a chunk extension of 100 kB', `${chunked}2;${'x'.repeat(100_000)}\r\n{}\r\n0\r\n\r\n`],
    ['a million chunks of a byte', `${chunked}${'1\r\n \r\n'.repeat(300_000)}0\r\n\r\n`],
    [
      'length and chunks',
      `${line()}${JSON_TYPE}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
    ],
    ['two lengths', `${line()}${JSON_TYPE}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x`],
    ['a negative length', `${line()}${JSON_TYPE}Content-Length: -1\r\n\r\n{}`],
    ['a length in other digits', `${line()}${JSON_TYPE}Content-Length: 0x2\r\n\r\n{}`],
    ['a body longer than its length', `${line()}${JSON_TYPE}Content-Length: 2\r\n\r\n{}${'\r\n'.repeat(3)}POST`],
    ['a body shorter than its length', `${line()}${JSON_TYPE}Content-Length: 100\r\n\r\n{}`],
    ['a coding nobody knows', `${line()}${JSON_TYPE}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['no Host', `POST /trpc/info.chain HTTP/1.1\r\n${JSON_TYPE}\r\n`],
    ['two Hosts', `${line()}Host: evil.example\r\n${JSON_TYPE}Content-Length: 0\r\n\r\n`],
    ['100 kB of headers', `${line()}X: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['five thousand headers', `${line()}${'X: y\r\n'.repeat(5_000)}\r\n`],
    ['a folded header', `${line()}X: y\r\n z\r\nContent-Length: 0\r\n\r\n`],
    ['a path of 100 kB', `${line(`/trpc/${'a'.repeat(100_000)}`)}\r\n`],
    ['a whole URL as path', `${line('http://evil.example/trpc/info.chain', 'GET')}\r\n`],
    ['a path with an escape that is none', `${line('/trpc/%E0%A4%A', 'GET')}\r\n`],
    ['an input with an escape that is none', `${line('/trpc/block.get?input=%E0%A4%A', 'GET')}\r\n`],
    ['a path that climbs', `${line('/trpc/../../etc/passwd', 'GET')}\r\n`],
    ['CONNECT', `CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`],
    ['TRACE', `${line(undefined, 'TRACE')}\r\n`],
    ['HEAD', `${line(undefined, 'HEAD')}\r\n`],
    ['an upgrade', `${line(undefined, 'GET')}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`],
    ['HTTP/0.9', 'GET /trpc/info.chain\r\n\r\n'],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['TLS', Uint8Array.of(0x16, 3, 1, 0, 0xff, 1, 0, 0, 0xfb, 3, 3)],
    ['an expectation', `${line()}${JSON_TYPE}Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n`],
    ['a batch of twenty', `${line(`/trpc/${batch(MAX_BATCH)}?batch=1`, 'GET')}Connection: close\r\n\r\n`],
    ['a batch of a thousand', `${line(`/trpc/${batch(1_000)}?batch=1`, 'GET')}Connection: close\r\n\r\n`],
    [
      'a batch in the body with holes',
      `${line(`/trpc/${batch(3)}?batch=1`)}${JSON_TYPE}Content-Length: 14\r\n\r\n{"0":{},"9":0}`,
    ],
    ['a thousand requests at once', `${line(undefined, 'GET')}\r\n`.repeat(1_000)],
  ];
}

/** Sends what is not HTTP, or barely; answers what went wrong. The senders hang up when they are done. */
export async function attackTransport(
  target: Target,
  { cases, dice }: { readonly cases: number; readonly dice: Dice },
): Promise<Failure[]> {
  const garbage = Array.from({ length: cases }, (_, i): readonly [string, Uint8Array] => {
    const whole = Buffer.from(`${line()}${JSON_TYPE}Content-Length: 2\r\n\r\n{}`);
    return [`garbage ${i}`, Buffer.concat([dice.chance(0.5) ? whole : Buffer.alloc(0), dice.bytes(dice.below(400))])];
  });
  const pending = [...attacks(), ...garbage];
  const failures: Failure[] = [];
  const worker = async (): Promise<void> => {
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
      const [name, bytes] = next;
      const answer = await exchange(target.url, bytes);
      const detail = faultOf(answer, target.paths);
      const body = typeof bytes === 'string' ? bytes.slice(0, 500) : bytes.slice(0, 500);
      const request = { method: '', path: '', headers: {}, body };
      if (detail !== undefined) failures.push({ kind: 'untyped', detail, procedure: 'the socket', name, request });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return failures;
}

interface Answer {
  readonly text: string;
  readonly closed: boolean;
}

function exchange({ hostname, port }: URL, bytes: string | Uint8Array): Promise<Answer> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host: hostname, port: Number(port) });
    const timer = setTimeout(() => {
      resolve({ text, closed: false });
      socket.destroy();
    }, OPEN_MS);
    socket.on('data', (chunk: Buffer) => {
      if (text.length < MAX_KEPT) text += chunk.toString('latin1');
    });
    // The node may well hang up while it is still being talked to.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ text, closed: true });
    });
    socket.end(bytes);
  });
}

function faultOf({ text, closed }: Answer, paths: readonly string[]): string | undefined {
  if (!closed) return `the connection stays open: ${text.slice(0, 500)}`;
  const statuses = Array.from(text.matchAll(/HTTP\/1\.1 (\d{3})/g), ([, status]) => Number(status));
  if (statuses.some((status) => status >= 500)) return `status ${statuses.join()}: ${text.slice(0, 1_000)}`;
  const leak = paths.find((place) => text.includes(place)) ?? /\bat [^\n]{1,200}:\d+:\d+|node_modules/.exec(text)?.[0];
  if (leak !== undefined) return `names ${leak}: ${text.slice(0, 1_000)}`;
  return text === '' || statuses.length > 0 ? undefined : `no HTTP: ${text.slice(0, 500)}`;
}
