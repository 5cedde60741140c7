import type { Client } from '../../../client/createClient.js';
import { bigintFromBytes } from '../../../shared/bytes/bigEndian.js';
import { fromHex } from '../../../shared/bytes/hex.js';
import { hashAsNumber } from '../../../shared/consensus/target.js';
import { decodeHeader, type HeaderFields, sealHeader } from '../../../shared/model/header.js';
import type { BlockHash } from '../../../shared/model/ids.js';

/** The most hashes tried for a block: networks under test have next to no difficulty. */
const MOST_TRIES = 1_000_000;

/** Mines blocks as a miner does: template, search, submit. Answers their hashes once the node has them. */
export async function mineBlocks(client: Client, address: string, count: number): Promise<readonly BlockHash[]> {
  if (!Number.isInteger(count) || count < 0) throw new RangeError(`${count} blocks cannot be mined`);
  const hashes: BlockHash[] = [];
  while (hashes.length < count) {
    const { id, header, target } = await client.block.template.query({ address });
    const decoded = decodeHeader(fromHex(header));
    if (!decoded.ok) throw new Error(`the template's header does not decode: ${decoded.detail}`);
    const { timestamp } = decoded.value;
    const nonce = searchNonce(decoded.value, bigintFromBytes(fromHex(target)));
    const { hash } = await client.block.submit.mutate({ template: id, timestamp, nonce });
    hashes.push(hash);
  }
  return hashes;
}

/** A nonce that brings a header's hash to its target or below. */
export function searchNonce(header: HeaderFields, target: bigint): bigint {
  for (let tries = 0n; tries < MOST_TRIES; tries++) {
    const nonce = (header.nonce + tries) & 0xffff_ffff_ffff_ffffn;
    if (hashAsNumber(sealHeader({ ...header, nonce }).hash) <= target) return nonce;
  }
  throw new Error(`no nonce among ${MOST_TRIES}: this network has too much difficulty for a test`);
}
