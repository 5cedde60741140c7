import type { Branded } from '../../shared/model/brand.js';

/** Where a peer can be called: scheme, host and port, and nothing else. */
export type PeerUrl = Branded<string, 'PeerUrl'>;

/** The most characters a peer's URL may have. */
const MAX_URL_LENGTH = 200;
/**
 * What is read at all. `URL` takes more: it drops tabs and line breaks, turns backslashes, adds slashes, and reads a host
 * behind an `@`. Two programs that read such a text differently see two hosts in it.
 */
const PLAIN_TEXT = /^https?:\/\/[^\s\\/?#@]+\/?$/i;
/** Labels between single dots. A dot at the end would be a second spelling of the same name. */
const NAME = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;

/**
 * Reads a peer's URL into its one spelling: `http://host:port` or `https://host:port`. Anything that could carry more
 * than an address (a path, a query, a user) is refused: it would be sent on with every call.
 */
export function parsePeerUrl(text: string): PeerUrl | undefined {
  if (text.length > MAX_URL_LENGTH || !PLAIN_TEXT.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isHost = url.hostname.startsWith('[') || NAME.test(url.hostname);
  if (!isHost || url.port === '0') return undefined;
  const port = url.port !== '' ? url.port : url.protocol === 'https:' ? '443' : '80';
  return `${url.protocol}//${url.hostname}:${port}` as PeerUrl;
}

/** The host of a peer's URL, without the brackets of IPv6. */
export function hostOf(url: PeerUrl): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}
