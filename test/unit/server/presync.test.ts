import { describe, expect, test } from 'vitest';
import { locatorFrom, locatorOf, MissingBodies } from '../../../server/sync/branch.js';
import { Presync } from '../../../server/sync/presync.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import type { Header } from '../../../shared/model/header.js';
import { MAX_LOCATOR } from '../../../shared/rpc/blockSchemas.js';
import { assertOk, present } from '../../kit/assertOk.js';
import { TestChain } from '../../kit/testChain.js';
import { memoryChain } from '../../support/memoryChain.js';

const NOW = 1_800_000_000_000;
const source = new TestChain();
const blocks = source.grow(source.genesis, 30);
const headers = blocks.map(({ header }) => header);

function begun(): Presync {
  return new Presync(source.contextOf(source.genesis), NETWORKS.dev);
}

/** Both passes of 30 headers in batches of 10, the second over what `again` makes of each batch. */
function secondPass(again: (batch: readonly Header[], round: number) => readonly Header[]): boolean[] {
  const pass = begun();
  for (let from = 0; from < 30; from += 10) {
    for (const header of headers.slice(from, from + 10)) assertOk(pass.check(header, NOW));
    pass.endBatch();
  }
  const second = pass.again();
  const taken: boolean[] = [];
  for (let round = 0; second.wanted !== undefined && round < 3; round++) {
    const from = round * 10;
    expect(second.wanted).toEqual({ after: (headers[from - 1] ?? source.genesis.header).hash, count: 10 });
    taken.push(second.take(again(headers.slice(from, from + 10), round)));
    if (!taken.at(-1)) break;
  }
  return taken;
}

describe('the first pass', () => {
  test('comes to the same work as the chain itself, header by header', () => {
    const pass = begun();
    for (const [i, block] of blocks.entries()) {
      assertOk(pass.check(block.header, NOW));
      expect(pass).toMatchObject({ work: source.contextOf(block).work, last: block.header.hash, height: i + 1 });
    }
  });

  test.each([
    ['header-parent-unknown', (next: Header) => ({ ...next, previous: headers[0]?.hash })],
    ['header-height', (next: Header) => ({ ...next, height: next.height + 1 })],
    ['header-time-old', (next: Header) => ({ ...next, timestamp: 0 })],
    ['header-time-future', (next: Header) => ({ ...next, timestamp: NOW + 10 * 86_400_000 })],
    ['header-bits', (next: Header) => ({ ...next, bits: 0x1f0fffff })],
    ['header-work', (next: Header) => ({ ...next, hash: 'f'.repeat(64) })],
    ['header-version', (next: Header) => ({ ...next, version: 9 })],
  ])('refuses %s, and stands where it stood', (code, change) => {
    const pass = begun();
    for (const header of headers.slice(0, 12)) assertOk(pass.check(header, NOW));
    const next = present(headers[12]);
    expect(pass.check(change(next) as Header, NOW)).toMatchObject({ ok: false, reject: { code } });
    expect(pass.last).toBe(next.previous);
    assertOk(pass.check(next, NOW));
  });
});

describe('the second pass', () => {
  test('takes the same headers, batch by batch', () => {
    expect(secondPass((batch) => batch)).toEqual([true, true, true]);
  });

  test('takes none that were not shown in the first, wherever they are slipped in', () => {
    const other = source.grow(present(blocks[3]), 6).map(({ header }) => header);
    expect(secondPass((batch) => [...batch.slice(0, 4), ...other])).toEqual([false]);
    expect(secondPass((batch) => [...batch.slice(0, 4), ...other.slice(0, 5), ...batch.slice(-1)])).toEqual([false]);
    expect(secondPass((batch, round) => (round === 1 ? batch.slice(0, 9) : batch))).toEqual([true, false]);
    expect(secondPass((batch, round) => (round === 2 ? [] : batch))).toEqual([true, true, false]);
  });
});

describe('a locator', () => {
  test('names the active chain in full where the best headers are on another branch, and what is beside it first', async () => {
    const chain = await memoryChain();
    for (const block of blocks) assertOk(await chain.submitBlock(block));
    const beside = source.grow(source.genesis, 200).map(({ header }) => header);
    assertOk(await chain.submitHeaders(beside));
    expect(chain.bestHeader.header.height).toBe(200);
    const locator = locatorOf(chain.headers, chain);
    expect(locator.length).toBeLessThanOrEqual(MAX_LOCATOR);
    expect(locator[0]).toBe(beside[199]?.hash);
    const own = locator.filter((hash) => headers.some((header) => header.hash === hash));
    expect(own.slice(0, 10)).toEqual(
      headers
        .slice(-10)
        .map(({ hash }) => hash)
        .reverse(),
    );
    expect(locator.at(-1)).toBe(source.genesis.header.hash);
    const more = locatorFrom(present(headers[20]).hash, locator);
    expect([more[0], more.at(-1)]).toEqual([headers[20]?.hash, source.genesis.header.hash]);
    expect(new Set(more).size).toBe(more.length);
  });
});

describe('missing bodies', () => {
  test('are all headers of a branch that have none, once each, lowest first, whatever is stored already', async () => {
    const chain = await memoryChain();
    const side = source.grow(source.genesis, 40);
    for (const block of blocks) assertOk(await chain.submitBlock(block));
    for (const block of side.slice(0, 15)) assertOk(await chain.submitBlock(block));
    assertOk(await chain.submitHeaders(side.map(({ header }) => header)));
    const missing = new MissingBodies(chain.headers, chain.headers.require(present(side[39]).header.hash), 0);
    const found: number[] = [];
    while (!missing.isAtEnd) found.push(...missing.next(7).map(({ header }) => header.height));
    expect(found).toEqual(Array.from({ length: 25 }, (_, i) => 16 + i));
  });
});
