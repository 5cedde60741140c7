import { parseBase64 } from '../../shared/bytes/base64.js';
import { type Block, decodeBlock } from '../../shared/model/block.js';
import { decodeHeader, HEADER_BYTES, type Header } from '../../shared/model/header.js';
import type { BlockHash } from '../../shared/model/ids.js';

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
