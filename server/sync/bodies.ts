import { parseBase64 } from '../../shared/bytes/base64.js';
import { MAX_BLOCK_BYTES } from '../../shared/consensus/params.js';
import { type Block, decodeBlock } from '../../shared/model/block.js';
import { decodeHeader, HEADER_BYTES, type Header } from '../../shared/model/header.js';
import type { BlockHash } from '../../shared/model/ids.js';

/** Reads headers out of the bytes that peers send, 92 each, from one to another; `undefined` where one is malformed. */
export function readHeaders(bytes: Uint8Array, from: number, to: number): Header[] | undefined {
  const headers: Header[] = [];
  for (let place = from; place < to; place++) {
    const header = decodeHeader(bytes.subarray(place * HEADER_BYTES, (place + 1) * HEADER_BYTES));
    if (!header.ok) return undefined;
    headers.push(header.value);
  }
  return headers;
}

/** Headers as peers send them, in base64. `undefined` where they are not. */
export function parseHeaders(text: string): Header[] | undefined {
  const bytes = parseBase64(text);
  if (bytes === undefined || bytes.length % HEADER_BYTES !== 0) return undefined;
  return readHeaders(bytes, 0, bytes.length / HEADER_BYTES);
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

/**
 * The bodies out of an answer to `block.range`, as far as they are the ones asked for; `undefined` where no honest node
 * answers so. The first is the very block that was named. From the second on the peer's own chain decides, and may have
 * moved on to another branch meanwhile. What follows the headers is judged by the chain, in its turn.
 */
export function readBodies(blocks: readonly string[], wanted: readonly BlockHash[]): Uint8Array[] | undefined {
  const bodies: Uint8Array[] = [];
  for (const text of blocks.slice(0, wanted.length)) {
    const bytes = parseBase64(text);
    const header = bytes === undefined ? undefined : decodeHeader(bytes.subarray(0, HEADER_BYTES));
    if (bytes === undefined || bytes.length > MAX_BLOCK_BYTES || !header?.ok) return undefined;
    if (header.value.hash !== wanted[bodies.length]) break;
    bodies.push(bytes);
  }
  return bodies.length === 0 ? undefined : bodies;
}
