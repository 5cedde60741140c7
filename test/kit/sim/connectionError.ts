/** What the system says of a connection: nobody listens there, or it has broken. */
export type ConnectionFault = 'ECONNREFUSED' | 'ECONNRESET';

/** What a connection that cannot be made, or breaks, looks like to whoever called `fetch`. */
export function connectionError(code: ConnectionFault): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
}
