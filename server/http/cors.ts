import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a browser may remember what a preflight was told. */
const MAX_AGE_SECONDS = 7_200;

/** Lets the pages of allowed origins read the answer: without these headers, a browser keeps it from them. */
export function nameAllowedOrigin(
  { headers: { origin } }: IncomingMessage,
  response: ServerResponse,
  origins: readonly string[],
): void {
  if (origin !== undefined && origins.includes(origin)) response.setHeader('access-control-allow-origin', origin);
}

/** Tells a browser what pages of an allowed origin may send. Cookies are not among it: nothing here reads any. */
export function answerPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'content-type, authorization, trpc-accept',
    // A page of the open web may then call a node on the visitor's own machine (the Private Network Access draft).
    'access-control-allow-private-network': 'true',
    'access-control-max-age': String(MAX_AGE_SECONDS),
  });
  response.end();
}
