import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** How a peer misbehaves: it takes questions for blocks and never answers, sends bad bodies, or sends slowly. */
export type Misbehaviour = 'stalls' | 'lies' | 'is slow';

/** What a slow peer sends in a second. */
const SLOW_BYTES_PER_SECOND = 200_000;
const DRIPS_PER_SECOND = 10;

/** A peer that does as an honest node does, but for blocks. */
export interface BadPeer extends AsyncDisposable {
  readonly url: string;
  /** How often it was asked for blocks. */
  asked(): number;
}

/** Puts a misbehaving peer before an honest node, to which all else is passed on. */
export async function badPeer(upstream: string, misbehaviour: Misbehaviour): Promise<BadPeer> {
  let asked = 0;
  const server = createServer((request, response) => {
    const isForBlocks = /block\.(range|raw)$/.test(request.url ?? '');
    if (isForBlocks) asked += 1;
    if (isForBlocks && misbehaviour === 'stalls') return;
    void passOn(upstream, request)
      .then(({ status, text }) => {
        const body = isForBlocks && misbehaviour === 'lies' ? spoiled(text) : text;
        if (isForBlocks && misbehaviour === 'is slow') return drip(response, status, body);
        response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function passOn(upstream: string, request: IncomingMessage): Promise<{ status: number; text: string }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const headers = new Headers({ 'content-type': 'application/json' });
  const session = request.headers['x-trestle-session'];
  if (typeof session === 'string') headers.set('x-trestle-session', session);
  const body = Buffer.concat(chunks);
  const method = request.method ?? 'POST';
  const response = await fetch(`${upstream}${request.url}`, { method, headers, ...(body.length > 0 ? { body } : {}) });
  return { status: response.status, text: await response.text() };
}

/** Every block with one signature changed: the headers hold, the bodies are not theirs. */
function spoiled(text: string): string {
  return text.replace(/"([A-Za-z0-9+/]{400,}={0,2})"/g, (_, block: string) => {
    const at = block.length - 40;
    return `"${block.slice(0, at)}${block[at] === 'A' ? 'B' : 'A'}${block.slice(at + 1)}"`;
  });
}

function drip(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  const step = SLOW_BYTES_PER_SECOND / DRIPS_PER_SECOND;
  let sent = 0;
  const timer = setInterval(() => {
    response.write(text.slice(sent, sent + step));
    sent += step;
    if (sent < text.length && !response.destroyed) return;
    clearInterval(timer);
    response.end();
  }, 1000 / DRIPS_PER_SECOND);
}
