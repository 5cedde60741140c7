import type { Branded } from '../../shared/model/brand.js';

/** Where a peer can be called: scheme, host and port, and nothing else. */
export type PeerUrl = Branded<string, 'PeerUrl'>;

/** The most characters a peer's URL may have. */
const MAX_URL_LENGTH = 200;

/**
 * Reads a peer's URL into its one spelling: `http://host:port` or `https://host:port`. Anything that could carry more
 * than an address (a path, a query, a user) is refused: it would be sent on with every call.
 */
export function parsePeerUrl(text: string): PeerUrl | undefined {
  if (text.length > MAX_URL_LENGTH || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlain = url.pathname === '/' && url.search === '' && url.hash === '' && !/[?#]/.test(text);
  if (!isPlain || url.username !== '' || url.password !== '') return undefined;
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '' || url.port === '0')
    return undefined;
  const port = url.port !== '' ? url.port : url.protocol === 'https:' ? '443' : '80';
  return `${url.protocol}//${url.hostname}:${port}` as PeerUrl;
}

/** The host of a peer's URL, without the brackets of IPv6. */
export function hostOf(url: PeerUrl): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}
