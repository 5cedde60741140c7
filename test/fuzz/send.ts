import { type Agent, request as httpRequest } from 'node:http';
import type { WireRequest } from './cases.js';

/** What came back. */
export interface Reply {
  /** 0 where nothing did. */
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** The most bytes of an answer that are kept. */
const MAX_KEPT = 16_000_000;
/** How long a stream is listened to: its first bytes are all that matters here. */
const STREAM_MS = 50;
/** The node gives up after five seconds; one that is silent for so long is stuck. */
const SILENCE_MS = 15_000;
/** What stands for the answer of a node that is silent for so long. */
export const SILENCE = 'nothing came back';

/** Sends a request and reads the answer to its end; of a stream of events only the beginning. Never throws. */
export function send(url: URL, request: WireRequest, agent: Agent): Promise<Reply> {
  const { method, path, headers, body } = request;
  return new Promise((resolve) => {
    const finish = (status: number, contentType: string, text: string): void => resolve({ status, contentType, text });
    // Node leaves the length of a body out where the method has none by custom; the body would pass for a second request.
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const options = { hostname: url.hostname, port: url.port, method, path, agent };
    const outgoing = httpRequest({ ...options, headers: { ...headers, ...length } });
    outgoing.setTimeout(SILENCE_MS, () => outgoing.destroy(new Error(SILENCE)));
    outgoing.on('error', (error) => finish(0, '', String(error)));
    outgoing.on('response', (response) => {
      const { statusCode = 0, headers: answered } = response;
      const contentType = answered['content-type'] ?? '';
      const chunks: Buffer[] = [];
      let kept = 0;
      const done = (): void => finish(statusCode, contentType, Buffer.concat(chunks).toString('utf8'));
      response.on('data', (chunk: Buffer) => {
        kept += chunk.length;
        if (kept <= MAX_KEPT) chunks.push(chunk);
      });
      response.on('end', done);
      response.on('error', done);
      if (!contentType.startsWith('text/event-stream')) return;
      setTimeout(() => {
        done();
        response.destroy();
      }, STREAM_MS);
    });
    outgoing.end(body);
  });
}
