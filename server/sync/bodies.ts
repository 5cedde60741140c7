import { parseBase64 } from '../../shared/bytes/base64.js';
import { type Block, decodeBlock } from '../../shared/model/block.js';
import { decodeHeader, HEADER_BYTES, type Header } from '../../shared/model/header.js';
import type { BlockHash } from '../../shared/model/ids.js';
import { MAX_RANGE } from '../../shared/rpc/blockSchemas.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { HeaderRecord } from '../store/layout.js';

/** Headers as peers send them: 92 bytes each, one after the other, in base64. `undefined` where they are not. */
export function parseHeaders(text: string): Header[] | undefined {
  const bytes = parseBase64(text);
  if (bytes === undefined || bytes.length % HEADER_BYTES !== 0) return undefined;
  const headers: Header[] = [];
  for (let start = 0; start < bytes.length; start += HEADER_BYTES) {
    const header = decodeHeader(bytes.subarray(start, start + HEADER_BYTES));
    if (!header.ok) return undefined;
    headers.push(header.value);
  }
  return headers;
}

/** Whether headers follow one another, the first after one of the hashes in the locator they answer. */
export function followLocator(headers: readonly Header[], locator: readonly BlockHash[]): boolean {
  return headers.every((header, i) => {
    const before = headers[i - 1];
    return before === undefined ? locator.includes(header.previous) : header.previous === before.hash;
  });
}

/** A block as peers send it, in base64. `undefined` where it is none. */
export function parseBlock(text: string): Block | undefined {
  const bytes = parseBase64(text);
  const block = bytes === undefined ? undefined : decodeBlock(bytes);
  return block?.ok ? block.value : undefined;
}

/** The next headers without bodies on the way from the tip to a header, lowest first. */
export function missingBodies(
  { headers, tip }: Pick<Chainstate, 'headers' | 'tip'>,
  target: HeaderRecord,
): HeaderRecord[] {
  if (target.work <= tip.work) return [];
  const fork = headers.fork(tip, target).header.height;
  const missing: HeaderRecord[] = [];
  let top = headers.ancestor(target, Math.min(fork + MAX_RANGE, target.header.height));
  // A side branch may be long and stored already: look further up until something is missing.
  while (top.body !== null && top.header.hash !== target.header.hash)
    top = headers.ancestor(target, Math.min(top.header.height + MAX_RANGE, target.header.height));
  for (let at = top; at.body === null && missing.length < MAX_RANGE; at = headers.require(at.header.previous))
    missing.push(at);
  return missing.reverse();
}
