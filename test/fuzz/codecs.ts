import { toHex } from '../../shared/bytes/hex.js';
import type { Decoded } from '../../shared/bytes/reader.js';
import { type Block, decodeBlock, sealBlock } from '../../shared/model/block.js';
import { decodeExtra, encodeExtra } from '../../shared/model/extra.js';
import { decodeHeader, encodeHeader } from '../../shared/model/header.js';
import { decodeTransaction, sealTransaction } from '../../shared/model/transaction.js';
import { Dice } from './dice.js';
import { makeFixture, WITHOUT_WORK } from './fixture.js';
import { changeBytes } from './mutate.js';

/** What to decode. */
export interface CodecOptions {
  readonly buffers: number;
  readonly seed: string;
}

/** What came of it. */
export interface CodecReport {
  readonly buffers: number;
  /** Buffers that decoded: without any, only the first bytes of each decoder were tried. */
  readonly decoded: number;
  readonly faults: readonly string[];
  /** The most memory that was in use above the start, in bytes. */
  readonly growthBytes: number;
}

/** A decoder with its way back: what it takes must come out of the encoder byte by byte. */
interface Codec {
  readonly name: string;
  readonly decode: (bytes: Uint8Array) => Decoded<Uint8Array>;
  readonly samples: readonly Uint8Array[];
}

/** Memory is looked at so often. */
const LOOK_EVERY = 1_000;
/** What garbage may pile up to; a list made for four billion items would be far above. */
const MAX_GROWTH_BYTES = 256_000_000;
const MAX_FAULTS = 20;

/** Feeds every decoder of the formats random and damaged bytes: each is refused, or comes back as it was. */
export function fuzzCodecs({ buffers, seed }: CodecOptions): CodecReport {
  const codecs = allCodecs();
  const dice = new Dice(seed);
  const faults: string[] = [];
  const start = inUse();
  let [decoded, growthBytes] = [0, 0];
  for (let i = 0; i < buffers && faults.length < MAX_FAULTS; i++) {
    const codec = dice.pick(codecs);
    const bytes = makeBytes(codec, dice);
    try {
      const outcome = codec.decode(bytes);
      if (outcome.ok) decoded += 1;
      if (outcome.ok && Buffer.compare(outcome.value, bytes) !== 0)
        faults.push(`${codec.name}: not one spelling: ${toHex(bytes)}`);
    } catch (error) {
      faults.push(`${codec.name} threw ${String(error)}: ${toHex(bytes)}`);
    }
    if (i % LOOK_EVERY === 0) growthBytes = Math.max(growthBytes, inUse() - start);
  }
  if (growthBytes > MAX_GROWTH_BYTES) faults.push(`memory grew by ${growthBytes} bytes`);
  if (decoded === 0) faults.push('nothing decoded');
  return { buffers, decoded, faults, growthBytes };
}

function inUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function makeBytes({ samples }: Codec, dice: Dice): Uint8Array {
  if (dice.chance(0.2)) return dice.bytes(dice.below(200));
  let bytes = dice.pick(samples);
  for (let changes = 1 + dice.below(3); changes > 0; changes--) bytes = changeBytes(bytes, dice);
  return bytes;
}

function allCodecs(): readonly Codec[] {
  const { blocks, waiting, genesis } = makeFixture(WITHOUT_WORK);
  const whole = [genesis, ...blocks];
  const transactions = [...waiting, ...whole.flatMap((block) => block.transactions)];
  const extras = transactions.flatMap(({ body }) => (body.kind === 'coinbase' ? [body.extra] : []));
  const encodeBlock = ({ header, transactions }: Block): Uint8Array =>
    sealBlock(
      header,
      transactions.map(({ body, signatures }) => sealTransaction(body, signatures)),
    ).raw;
  return [
    {
      name: 'transaction',
      decode: (bytes) => map(decodeTransaction(bytes), ({ body, signatures }) => sealTransaction(body, signatures).raw),
      samples: transactions.map(({ raw }) => raw),
    },
    {
      name: 'block',
      decode: (bytes) => map(decodeBlock(bytes), encodeBlock),
      samples: whole.map(({ raw }) => raw),
    },
    {
      name: 'header',
      decode: (bytes) => map(decodeHeader(bytes), encodeHeader),
      samples: whole.map(({ header }) => encodeHeader(header)),
    },
    { name: 'extra', decode: (bytes) => map(decodeExtra(bytes), encodeExtra), samples: extras },
  ];
}

function map<T>(decoded: Decoded<T>, encode: (value: T) => Uint8Array): Decoded<Uint8Array> {
  return decoded.ok ? { ok: true, value: encode(decoded.value) } : decoded;
}
