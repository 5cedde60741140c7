import { describe, expect, test } from 'vitest';
import type { Kv, Write } from '../../../server/store/kv.js';
import { Dice } from '../../kit/sim/dice.js';
import { Lifeline } from '../../kit/sim/lifeline.js';
import { Scheduler } from '../../kit/sim/scheduler.js';
import { silentLog } from '../../kit/sim/silentLog.js';
import { SimDisk } from '../../kit/sim/simDisk.js';
import { failureFrom } from '../../support/failureFrom.js';
import { kvSuite } from '../../support/kvSuite.js';

/** A disk, with time going by for whoever waits for it. */
class Machine {
  readonly time: Scheduler;
  readonly disk: SimDisk;
  readonly damage: string[] = [];
  lifeline: Lifeline;

  constructor(seed = 1) {
    this.time = new Scheduler(Dice.of(seed, 'ties'));
    this.disk = new SimDisk({ name: 'n0', dice: Dice.of(seed, 'disk'), now: () => this.time.now });
    this.lifeline = this.#boot();
  }

  async open(name: string, options: { synced?: boolean; expendable?: boolean } = {}): Promise<Kv> {
    const { synced = true, expendable = false } = options;
    return this.disk.openStore({
      ...{ name, synced, expendable, owner: 'test', log: silentLog, clock: { yield: async () => {} } },
      onDamage: ({ code }) => this.damage.push(code),
    });
  }

  commit(kv: Kv, ...keys: number[]): Promise<void> {
    return this.time.during(kv.commit(keys.map(put)));
  }

  crash(kind: 'process' | 'power'): void {
    this.lifeline.kill();
    this.disk.crash(kind);
    this.lifeline = this.#boot();
  }

  /** The process ends by itself, and another starts. */
  end(): void {
    this.lifeline.kill();
    this.lifeline = this.#boot();
  }

  #boot(): Lifeline {
    const lifeline = new Lifeline(this.time);
    this.disk.attach(lifeline);
    return lifeline;
  }
}

function put(key: number): Write {
  return { kind: 'put', key: Uint8Array.of(key), value: Uint8Array.of(key) };
}

function keysOf(kv: Kv): number[] {
  return Array.from(kv.range({ gte: Uint8Array.of(0), lt: Uint8Array.of(255) }), ([key]) => key[0] ?? -1);
}

describe('a simulated store', () => {
  test.each(kvSuite)('is a store like any other: $name', async ({ run }) => {
    const machine = new Machine();
    const kv = await machine.open('chain');
    await run({ ...kv, commit: (batch) => machine.time.during(kv.commit(batch)) });
  });

  test('a commit is not there before its time has come, and a killed process never hears of it', async () => {
    const machine = new Machine();
    const kv = await machine.open('chain');
    let isDone = false;
    void kv.commit([put(1)]).then(() => {
      isDone = true;
    });
    expect(keysOf(kv)).toEqual([]);
    machine.crash('process');
    await machine.time.advanceTo(1_000);
    expect(isDone).toBe(false);
  });

  test('what was committed survives both the process and the power; what was under way is whole or not there, in order', async () => {
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 40; seed++) {
      const machine = new Machine(seed);
      const kv = await machine.open('chain');
      await machine.commit(kv, 1, 2);
      void kv.commit([put(3), put(4)]);
      void kv.commit([put(5), put(6)]);
      machine.crash(seed % 2 === 0 ? 'process' : 'power');
      outcomes.add(keysOf(await machine.open('chain')).join());
    }
    expect([...outcomes].sort()).toEqual(['1,2', '1,2,3,4', '1,2,3,4,5,6']);
  });

  test('what a process left under way that ended by itself is whole or not there, and takes no later commit’s place', async () => {
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) {
      const machine = new Machine(seed);
      void (await machine.open('chain')).commit([put(1)]);
      machine.end();
      const kv = await machine.open('chain');
      await machine.commit(kv, 2);
      outcomes.add(keysOf(kv).join());
    }
    expect([...outcomes].sort()).toEqual(['1,2', '2']);
  });

  test('a process that thaws finds every commit there that it is told of, in whatever order it is told', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const machine = new Machine(seed);
      const kv = await machine.open('chain');
      const seen: boolean[] = [];
      const commits = [1, 2, 3].map((key) => kv.commit([put(key)]).then(() => seen.push(keysOf(kv).includes(key))));
      machine.lifeline.freeze();
      await machine.time.advanceTo(1_000);
      machine.lifeline.thaw();
      await machine.time.during(Promise.all(commits));
      expect(seen).toEqual([true, true, true]);
    }
  });

  test('what is not synced survives the process, and may go with the power, the latest first', async () => {
    const afterPower = new Set<string>();
    for (let seed = 1; seed <= 60; seed++) {
      const machine = new Machine(seed);
      const options = { synced: false, expendable: true };
      const kv = await machine.open('pool', options);
      for (const key of [1, 2, 3]) await machine.commit(kv, key);
      machine.crash('process');
      expect(keysOf(await machine.open('pool', options))).toEqual([1, 2, 3]);
      machine.crash('power');
      afterPower.add(keysOf(await machine.open('pool', options)).join());
    }
    // Nothing but beginnings of what was written, and each of them.
    expect([...afterPower].sort()).toEqual(['', '1', '1,2', '1,2,3']);
  });

  test('a flipped bit is met by whoever reads the row, and the store is refused from then on', async () => {
    const machine = new Machine();
    const kv = await machine.open('chain');
    await machine.commit(kv, 1);
    expect(machine.disk.flipBit('chain')).toBe(true);
    expect(() => kv.get(Uint8Array.of(1))).toThrow('checksum');
    expect(() => keysOf(kv)).toThrow('checksum');
    expect(machine.damage).toEqual(['store-corrupt', 'store-corrupt']);
    machine.crash('process');
    expect(await failureFrom(machine.open('chain'))).toMatchObject({ code: 'store-corrupt' });
    expect(keysOf(await machine.open('chain', { expendable: true }))).toEqual([]);
  });

  test('a row that is written over is damaged no more', async () => {
    const machine = new Machine();
    const kv = await machine.open('chain');
    await machine.commit(kv, 1);
    machine.disk.flipBit('chain');
    await machine.commit(kv, 1);
    expect(kv.get(Uint8Array.of(1))).toEqual(Uint8Array.of(1));
  });

  test('a full disk refuses what is written and keeps what is there, and takes it again once there is room', async () => {
    const machine = new Machine();
    const kv = await machine.open('chain');
    await machine.commit(kv, 1);
    machine.disk.faults.full = true;
    expect(await failureFrom(machine.commit(kv, 2))).toMatchObject({ code: 'store-full' });
    expect(keysOf(kv)).toEqual([1]);
    machine.disk.faults.full = false;
    await machine.commit(kv, 2);
    expect(keysOf(kv)).toEqual([1, 2]);
  });

  test('a sync that fails once is a failure without a name, and changes nothing', async () => {
    const machine = new Machine();
    const kv = await machine.open('chain');
    machine.disk.faults.failsToSync = true;
    await expect(machine.commit(kv, 1)).rejects.toThrow('EIO');
    expect(keysOf(kv)).toEqual([]);
    await machine.commit(kv, 2);
    expect(keysOf(kv)).toEqual([2]);
  });

  test('an image holds what was there then, however often it is put back', async () => {
    const machine = new Machine();
    await machine.commit(await machine.open('chain'), 1);
    const image = machine.disk.image();
    for (const key of [2, 3]) {
      machine.disk.restore(image);
      const kv = await machine.open('chain');
      expect(keysOf(kv)).toEqual([1]);
      await machine.commit(kv, key);
    }
  });
});
