import { Agent, createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { fromHex } from '../../shared/bytes/hex.js';
import { decodeBlock } from '../../shared/model/block.js';
import { encodeHeader } from '../../shared/model/header.js';
import { decodeTransaction } from '../../shared/model/transaction.js';
import { transformer } from '../../shared/rpc/transformer.js';
import { check } from './check.js';
import { fuzzCodecs } from './codecs.js';
import { Dice } from './dice.js';
import { makeFixture, WITHOUT_WORK } from './fixture.js';
import { runFuzz } from './run.js';
import { send } from './send.js';
import { validInput } from './validInput.js';

// More of the same, and how long the event loop is held up: npm run --silent fuzz -- --cases 1000
const CASES = 10;
const SEED = 'every build';

test('whatever is sent to whichever procedure is answered by a reason of ours, changes nothing and stops nothing', async () => {
  const report = await runFuzz({ cases: CASES, seed: SEED });
  expect(report.failures).toEqual([]);
  expect(report.unreached).toEqual([]);
  expect(report.loggedFailures).toEqual([]);
  expect(report).toMatchObject({ alive: true, stateUnchanged: true });
  // Past the door: a peer's calls are listened to, and rules are asked.
  expect(report.codes.get('transaction.announce')?.has('ok')).toBe(true);
  expect(report.codes.get('block.announce')?.has('ok')).toBe(true);
  expect(report.codes.get('transaction.submit')?.has('tx-malformed')).toBe(true);
  expect([...(report.codes.get('node.stop')?.keys() ?? [])].sort()).toEqual(['bad-request', 'unauthorized']);
}, 240_000);

describe('what the fuzzer looks for, it finds', () => {
  const answer = (body: unknown, status = 400) => ({
    status,
    contentType: 'application/json',
    text: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const failure = (change: object, message = 'no') => {
    const data = { code: 'BAD_REQUEST', httpStatus: 400, path: 'a.b', issues: [] };
    const reason = { code: 'bad-request', detail: 'no' };
    return answer({ error: transformer.serialize({ message, code: -32_600, data: { ...data, reason, ...change } }) });
  };

  test('an answer and a reason of ours are right', () => {
    expect(check(answer({ result: { data: { json: 1 } } }, 200), [])).toEqual({ codes: ['ok'] });
    expect(check(failure({}), [])).toEqual({ codes: ['bad-request'] });
  });

  test.each([
    ['no reason', failure({ reason: null }), 'untyped'],
    ['a reason that nobody knows', failure({ reason: { code: 'surprise' } }), 'untyped'],
    [
      'a reason too long for a client',
      failure({ reason: { code: 'bad-request', detail: 'x'.repeat(1_001) } }),
      'untyped',
    ],
    ['a figure that our client does not read', failure({ reason: { code: 'too-large', limit: -0 } }), 'untyped'],
    ['a fault of ours', failure({ code: 'INTERNAL_SERVER_ERROR' }), 'untyped'],
    ['a field that nobody promised', failure({ stack: 'x' }), 'untyped'],
    ['no JSON', answer('<html>'), 'untyped'],
    ['a success under a failure’s status', answer({ result: { data: 1 } }, 500), 'untyped'],
    ['a frame of a stack', failure({}, 'x at f (a.ts:1:2)'), 'stack'],
    ['a path of the machine', failure({}, 'in /secret/place'), 'stack'],
    ['the input sent back', failure({}, 'x'.repeat(20_000)), 'unbounded'],
    ['a node that gave up', failure({ reason: { code: 'timeout', limitMs: 5_000 } }), 'late'],
    [
      'a stream that fails by our fault',
      { ...answer('event: serialized-error\ndata: {}\n\n'), contentType: 'text/event-stream' },
      'untyped',
    ],
  ])('%s', (_what, reply, kind) => {
    expect(check(reply, ['/secret/place'])).toMatchObject({ fault: { kind } });
  });

  test('a procedure whose input nobody could fill fails', () => {
    const corpus = { values: { word: ['a', 1] }, unsent: [] };
    const schema = z.strictObject({ word: z.string(), list: z.array(z.int()).min(2), maybe: z.string().optional() });
    expect(schema.safeParse(validInput(schema, new Dice('1'), corpus)).success).toBe(true);
    const unknown = z.strictObject({ word: z.string().regex(/^new kind$/) });
    expect(() => validInput(unknown, new Dice('1'), corpus)).toThrow('no valid input');
  });

  test('of a stream that never ends, its beginning is read', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: connected\ndata: {}\n\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const agent = new Agent();
    const reply = await send(new URL(`http://127.0.0.1:${port}`), { method: 'GET', path: '/', headers: {} }, agent);
    expect(reply).toMatchObject({ status: 200, text: expect.stringContaining('connected') });
    expect(check(reply, [])).toEqual({ codes: ['ok'] });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('decoders', () => {
  // A million of them: npm run --silent fuzz -- --codecs --cases 1000000
  test('random and damaged bytes are refused, or come back as they were', () => {
    expect(fuzzCodecs({ buffers: 20_000, seed: SEED }).faults).toEqual([]);
  });

  test('lengths of four billion, wherever a length may stand, cost no memory', () => {
    const { blocks } = makeFixture(WITHOUT_WORK);
    const [transaction] = blocks.at(-1)?.transactions.slice(1) ?? [];
    if (transaction === undefined) throw new Error('no transfer');
    const huge = fromHex('ffffffff0f');
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    for (let at = 0; at < transaction.raw.length; at++) {
      const claim = Uint8Array.of(...transaction.raw.subarray(0, at), ...huge, ...transaction.raw.subarray(at + 1));
      for (let i = 0; i < 20; i++) decodeTransaction(claim);
    }
    const header = blocks[0] === undefined ? new Uint8Array(0) : encodeHeader(blocks[0].header);
    for (let i = 0; i < 1_000; i++) expect(decodeBlock(Uint8Array.of(...header, ...huge)).ok).toBe(false);
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - heapUsed - arrayBuffers).toBeLessThan(100_000_000);
  });
});
