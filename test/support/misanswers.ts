import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { toBase64 } from '../../shared/bytes/base64.js';
import { hashAsNumber, targetFromBits } from '../../shared/consensus/target.js';
import { encodeHeader, sealHeader } from '../../shared/model/header.js';
import { present } from '../kit/assertOk.js';
import { successEnvelope } from '../kit/envelopes.js';
import { TestChain } from '../kit/testChain.js';

/** What a server sends in the place of an answer. */
export type Misanswer = (response: ServerResponse, path: string) => void;

const DRIP_MS = 100;
const BOMB_PART_BYTES = 50_000_000;
const BOMB_PARTS = 20;

/** A gigabyte of zeros in a megabyte: gzip takes parts one after the other for one whole. */
export function gzipBomb(): Buffer {
  const part = gzipSync(Buffer.alloc(BOMB_PART_BYTES));
  return Buffer.concat(Array.from({ length: BOMB_PARTS }, () => part));
}

/** An answer that never ends, a byte at a time: it looks alive for ever. */
export const drip: Misanswer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), DRIP_MS);
  response.once('close', () => clearInterval(timer));
};

/** Nothing, for ever. */
export const hang: Misanswer = () => {};

export function bomb(bytes: Buffer): Misanswer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    response.end(bytes);
  };
}

/** The page of a proxy that stands before nothing, or of somebody's web site. */
export function page(status: number): Misanswer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'text/html' });
    response.end('<!doctype html><title>Welcome</title><p>It works.');
  };
}

/** An answer that says to be longer than it is, and breaks off. */
export const shortOfItsLength: Misanswer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write(JSON.stringify(successEnvelope({})), () => response.destroy());
};

/** An answer that says to be shorter than it is: what follows stands where the next answer should. */
export const beyondItsLength: Misanswer = (response) => {
  const body = `${JSON.stringify(successEnvelope({}))}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull`;
  response.socket?.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n${body}`);
};

export function redirect(status: number, location: string): Misanswer {
  return (response) => {
    response.writeHead(status, { location });
    response.end();
  };
}

/** A header on genesis whose hash is above the target it says, whatever headers are asked for. */
export const idleHeader: Misanswer = (response) => {
  const chain = new TestChain();
  let { header } = chain.extend(chain.genesis);
  const target = present(targetFromBits(header.bits));
  while (hashAsNumber(header.hash) <= target) header = sealHeader({ ...header, nonce: header.nonce + 1n });
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(successEnvelope({ headers: toBase64(encodeHeader(header)) })));
};
