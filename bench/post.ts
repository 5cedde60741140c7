import { type Agent, request } from 'node:http';

/** A POST to a node, by hand: what is sent need not be what the contract knows. */
export interface Post {
  readonly url: string;
  readonly path: string;
  readonly agent: Agent;
  readonly body: string;
}

/** Sends it and reads the answer to its end; the status, or 0 where there was none. */
export function post({ url, path, agent, body }: Post): Promise<number> {
  return new Promise((resolve) => {
    const sent = request(`${url}/trpc/${path}`, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'trpc-accept': 'json' },
    });
    sent.once('response', (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
      response.once('error', () => resolve(0));
      response.once('close', () => resolve(0));
    });
    sent.once('error', () => resolve(0));
    sent.end(body);
  });
}
