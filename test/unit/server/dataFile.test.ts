import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkDataFile } from '../../../server/store/checkDataFile.js';
import { checksum, rowChecksum } from '../../../server/store/checksum.js';
import type { Kv, Write } from '../../../server/store/kv.js';
import { lmdbKv } from '../../../server/store/lmdbKv.js';
import { damageRuns, seeded } from '../../support/damage.js';
import { failureFrom } from '../../support/failureFrom.js';
import { temporaryDirectory } from '../../support/temporary.js';

const FIRST = Uint8Array.of(0);
const LAST = Uint8Array.of(255);

/** What is wrong with a store, in words. */
function damageIn(directory: string): string[] {
  return Array.from(checkDataFile(directory), (finding) =>
    finding.kind === 'damage' ? `${finding.detail} ${finding.key?.toString('hex') ?? ''}` : '',
  ).filter((detail) => detail !== '');
}

function allOf(kv: Kv): string {
  return Array.from(kv.range({ gte: FIRST, lt: LAST }), ([key, value]) =>
    [key, value].map((bytes) => Buffer.from(bytes).toString('hex')).join(':'),
  ).join('\n');
}

/** A commit as a busy node makes them: new rows, changed ones, removed ones, and a large one now and then. */
function someWrites(random: (limit: number) => number, count: number): Write[] {
  return Array.from({ length: count }, (): Write => {
    const key = Uint8Array.from({ length: 1 + random(40) }, () => random(6));
    key[0] = random(250);
    if (random(3) === 0) return { kind: 'remove', key };
    return {
      kind: 'put',
      key,
      value: new Uint8Array(random(60) === 0 ? random(40_000) : random(200)).fill(random(256)),
    };
  });
}

test('the checksum is that of zlib, at every length and in any number of parts', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.uint8Array({ maxLength: 600 }), (a, b) => {
      expect(checksum(a)).toBe(crc32(a));
      expect(rowChecksum(a, b)).toBe(crc32(Buffer.concat([a, b])));
    }),
  );
});

test('nothing is found in a store that is whole, whatever was written and removed', async () => {
  await using home = await temporaryDirectory();
  const random = seeded(1);
  let kv = lmdbKv({ directory: home.path, synced: false });
  for (let commit = 0; commit < damageRuns(60); commit++) {
    await kv.commit(someWrites(random, 1 + random(commit % 10 === 0 ? 1_500 : 60)));
    expect(damageIn(home.path), `after commit ${commit}`).toEqual([]);
    if (random(20) > 0) continue;
    await kv.close();
    kv = lmdbKv({ directory: home.path, synced: false });
  }
  await kv.close();
});

test('a flipped bit anywhere is found, or touches nothing that is read or written over', async () => {
  await using home = await temporaryDirectory();
  const random = seeded(2);
  const whole = join(home.path, 'whole');
  const writer = lmdbKv({ directory: whole, synced: false });
  for (let commit = 0; commit < 12; commit++) await writer.commit(someWrites(random, 300));
  const expected = allOf(writer);
  await writer.close();
  const bytes = readFileSync(join(whole, 'data.mdb'));
  const directory = join(home.path, 'flipped');
  const seen = { found: 0, harmless: 0 };
  for (let run = 0; run < damageRuns(120); run++) {
    // Every fifth within the meta pages, of which little else would be met.
    const offset = run % 5 === 0 ? random(2) * 4_096 + random(170) : random(bytes.length);
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(offset) ^ (1 << random(8)), offset);
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
    writeFileSync(join(directory, 'data.mdb'), flipped);
    if (damageIn(directory).length > 0) {
      seen.found += 1;
      continue;
    }
    seen.harmless += 1;
    const kv = lmdbKv({ directory, synced: false });
    expect(allOf(kv), `offset ${offset}`).toBe(expected);
    await kv.commit(someWrites(random, 50));
    await kv.close();
    expect(damageIn(directory), `offset ${offset}, after a commit`).toEqual([]);
  }
  expect(Math.min(seen.found, seen.harmless)).toBeGreaterThan(5);
});

test('any other number in the place of a meta page’s transaction is found: LMDB would go back to an older state', async () => {
  await using home = await temporaryDirectory();
  const writer = lmdbKv({ directory: home.path, synced: false });
  for (let commit = 0; commit < 5; commit++) await writer.commit(someWrites(seeded(commit), 20));
  await writer.close();
  const file = join(home.path, 'data.mdb');
  const bytes = readFileSync(file);
  for (const page of [0, 4_096])
    for (let bit = 0; bit < 64; bit++) {
      const flipped = Buffer.from(bytes);
      const offset = page + 24 + 128 + (bit >> 3);
      flipped.writeUInt8(flipped.readUInt8(offset) ^ (1 << (bit & 7)), offset);
      writeFileSync(file, flipped);
      expect(damageIn(home.path), `page ${page}, bit ${bit}`).toEqual([expect.stringContaining('transaction number')]);
    }
});

test('a value that changed behind the back of an open store is an error, never another value, and is told once read', async () => {
  await using home = await temporaryDirectory();
  const told: string[] = [];
  const kv = lmdbKv({ directory: home.path, synced: true, onDamage: (damage) => told.push(damage.code) });
  const key = Uint8Array.of(1, 2, 3);
  await kv.commit([{ kind: 'put', key, value: new Uint8Array(64).fill(0xab) }]);
  const file = join(home.path, 'data.mdb');
  const bytes = readFileSync(file);
  const at = bytes.indexOf(Buffer.alloc(64, 0xab));
  bytes.writeUInt8(0xaa, at + 10);
  writeFileSync(file, bytes, { flag: 'r+' });
  const read = async (): Promise<unknown> => kv.get(key);
  expect(await failureFrom(read())).toMatchObject({ code: 'store-corrupt', detail: expect.stringContaining('010203') });
  const list = async (): Promise<unknown> => [...kv.range({ gte: FIRST, lt: LAST })];
  expect(await failureFrom(list())).toMatchObject({ code: 'store-corrupt' });
  expect(told).toEqual(['store-corrupt', 'store-corrupt']);
  await kv.close();
});
