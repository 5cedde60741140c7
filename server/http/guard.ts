import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { TrestleError } from '../../shared/errors.js';
import { bodyLimit } from '../../shared/rpc/limits.js';

/** Where the contract is mounted. */
export const TRPC_PATH = '/trpc/';

/** Who may send requests. */
export interface GuardOptions {
  /** Host names this node answers to, beside `localhost` and plain IP addresses. */
  readonly hosts: readonly string[];
  /** Origins of web pages that may call this node, beside the node's own. */
  readonly origins: readonly string[];
}

/**
 * Whether a request may go on to the router; otherwise why not. A page in a browser on this machine can send requests
 * here, too: what such a page cannot forge is looked at before anything else.
 */
export function refusalOf(request: IncomingMessage, options: GuardOptions): TrestleError | undefined {
  const { method = '', headers } = request;
  const path = pathOf(request);
  if (!isAllowedHost(headers.host, options.hosts)) return unauthorized(`the Host header names ${headers.host}`);
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${headers.host}` && !options.origins.includes(origin))
    return unauthorized(`the request comes from a page of ${origin}`);
  // tRPC cuts the mount path off by its length and would answer under any other of the same length.
  if (!path.startsWith(TRPC_PATH)) return new TrestleError({ code: 'not-found', detail: `path ${path.slice(0, 100)}` });
  if (method === 'GET' || isPreflight(request, options.origins)) return undefined;
  if (method !== 'POST') return badRequest(`method ${method}`);
  // Forms and plain text can be sent across origins without asking; JSON cannot.
  if (mediaType(headers['content-type']) !== 'application/json') return badRequest('the body must be application/json');
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return badRequest('the body must not be compressed');
  const limit = bodyLimitOf(request);
  if (Number(headers['content-length'] ?? 0) > limit) return new TrestleError({ code: 'too-large', limit });
  return undefined;
}

/** Whether a browser asks, before the real request, if a page of an allowed origin may send it. */
export function isPreflight({ method, headers }: IncomingMessage, origins: readonly string[]): boolean {
  const { origin } = headers;
  const asks = method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
  return asks && origin !== undefined && origins.includes(origin);
}

/** The most bytes a request's body may have, by the procedures in its path. */
export function bodyLimitOf(request: IncomingMessage): number {
  return bodyLimit(pathOf(request).slice(TRPC_PATH.length));
}

/** The path of a request, without what it asks. */
export function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

/** A name that an attacker controls can be made to resolve to this machine (DNS rebinding); a number cannot. */
function isAllowedHost(header: string | undefined, hosts: readonly string[]): boolean {
  if (header === undefined || !URL.canParse(`http://${header}`)) return false;
  const host = new URL(`http://${header}`).hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || isIP(host) !== 0 || hosts.includes(host);
}

function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function unauthorized(detail: string): TrestleError {
  return new TrestleError({ code: 'unauthorized', detail: detail.slice(0, 200) });
}

function badRequest(detail: string): TrestleError {
  return new TrestleError({ code: 'bad-request', detail });
}
