import { bytesFromBigint } from '../../shared/bytes/bigEndian.js';
import { fromHex, toHex } from '../../shared/bytes/hex.js';
import { targetFromBits, workOfTarget } from '../../shared/consensus/target.js';
import { TrestleError } from '../../shared/errors.js';
import { decodeHeader, encodeHeader, type Header, sealHeader } from '../../shared/model/header.js';
import { type TemplateView, templateOutput } from '../../shared/rpc/blockSchemas.js';
import type { MinedNode } from './nodeWatch.js';

/** A template to search, as it came. */
export interface Work {
  readonly node: MinedNode;
  readonly template: TemplateView;
  readonly header: Header;
  readonly target: Uint8Array;
  /** Hashes that a block takes on average. */
  readonly hashesPerBlock: bigint;
  /** When it came, on the clock that only goes forward. */
  readonly receivedAt: number;
}

/** Reads what a node answered. Throws `peer-protocol` where nothing that is found for it could count. */
export function readWork(answer: unknown, node: MinedNode, receivedAt: number): Work {
  const broken = (detail: string) => new TrestleError({ code: 'peer-protocol', url: node.url, detail });
  const parsed = templateOutput.safeParse(answer);
  if (!parsed.success) throw broken('no template of this version');
  const template = parsed.data;
  const header = decodeHeader(fromHex(template.header));
  if (!header.ok) throw broken(`the template's header does not decode: ${header.detail}`);
  const target = targetFromBits(header.value.bits);
  if (target === undefined || toHex(bytesFromBigint(target, 32)) !== template.target)
    throw broken('the template asks for another target than its header');
  if (header.value.previous !== template.previous || header.value.height !== template.height)
    throw broken('the template is for another place than its header');
  const hashesPerBlock = workOfTarget(target);
  return { node, template, header: header.value, target: fromHex(template.target), hashesPerBlock, receivedAt };
}

/** The header to search at a moment. Its timestamp is the node's, and goes on with our clock: the two may differ. */
export function headerAt({ header, receivedAt }: Work, now: number): { timestamp: number; bytes: Uint8Array } {
  const timestamp = header.timestamp + Math.max(0, Math.floor(now - receivedAt));
  return { timestamp, bytes: encodeHeader({ ...header, timestamp, nonce: 0n }) };
}

/** The block that a solution makes of the work: its hash. */
export function hashOf({ header }: Work, solution: { readonly timestamp: number; readonly nonce: bigint }): string {
  return sealHeader({ ...header, ...solution }).hash;
}
