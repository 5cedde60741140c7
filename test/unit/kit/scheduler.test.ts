import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Dice } from '../../kit/sim/dice.js';
import { EventQueue } from '../../kit/sim/eventQueue.js';
import { Scheduler } from '../../kit/sim/scheduler.js';

const scheduler = (seed = 1): Scheduler => new Scheduler(Dice.of(seed, 'ties'));

describe('what will happen', () => {
  test('comes in the order of its time, then of its tie, then of its scheduling, whatever is called off between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.nat(5), tie: fc.nat(3), isCalledOff: fc.boolean() }), { maxLength: 60 }),
        (plans) => {
          const queue = new EventQueue();
          const events = plans.map(({ at, tie }, sequence) => ({ at, tie, sequence, action: (): void => {} }));
          const wanted = events.filter((_, i) => !plans[i]?.isCalledOff);
          wanted.sort((a, b) => a.at - b.at || a.tie - b.tie || a.sequence - b.sequence);
          for (const event of events) queue.push(event);
          for (const [i, event] of events.entries())
            if (plans[i]?.isCalledOff) Object.assign(event, { action: undefined });
          const taken = [];
          for (let event = queue.pop(); event !== undefined; event = queue.pop()) taken.push(event);
          expect(taken).toEqual(wanted);
        },
      ),
    );
  });
});

describe('virtual time', () => {
  test('stands still unless somebody waits for it, and then goes by in no time', async () => {
    const time = scheduler();
    const seen: number[] = [];
    for (const ms of [3_600_000, 5, 60_000]) time.after(ms, () => seen.push(time.now));
    await Promise.resolve();
    expect([time.now, seen]).toEqual([0, []]);
    await time.advanceTo(60_000);
    expect([time.now, seen]).toEqual([60_000, [5, 60_000]]);
    await time.advanceTo(10_000_000);
    expect([time.now, seen]).toEqual([10_000_000, [5, 60_000, 3_600_000]]);
  });

  test('goes on to the next event only when everything that followed from the last one has happened', async () => {
    const time = scheduler();
    const order: string[] = [];
    time.after(1, () => {
      void (async () => {
        for (let step = 0; step < 50; step++) await Promise.resolve();
        order.push('what followed');
      })();
    });
    time.after(2, () => order.push('the next event'));
    await time.advanceTo(5);
    expect(order).toEqual(['what followed', 'the next event']);
  });

  test('goes by for an answer up to the moment it comes, and no further', async () => {
    const time = scheduler();
    const answer = new Promise<string>((resolve) => time.after(250, () => resolve('here')));
    time.after(300, () => {});
    expect(await time.during(answer)).toBe('here');
    expect(time.now).toBe(250);
  });

  test('an answer that nothing can bring is a failure, not a wait without end', async () => {
    await expect(scheduler().during(new Promise(() => {}))).rejects.toThrow('no answer');
  });

  test('what throws in an event fails whoever lets time go by, now and from then on', async () => {
    const time = scheduler();
    time.after(1, () => {
      throw new Error('broken');
    });
    await expect(time.advanceTo(10)).rejects.toThrow('broken');
    await expect(time.advanceTo(20)).rejects.toThrow('broken');
    expect(time.broken).toBeInstanceOf(Error);
  });

  test('two that wait at once share it: each gets on at its own moment', async () => {
    const time = scheduler();
    const order: string[] = [];
    await Promise.all([
      time.advanceTo(100).then(() => order.push(`at ${time.now}`)),
      time
        .during(new Promise<void>((resolve) => time.after(40, resolve)))
        .then(() => order.push(`answered ${time.now}`)),
    ]);
    expect(order).toEqual(['answered 40', 'at 100']);
  });

  test('events of one moment come in an order that the seed decides', async () => {
    const orderOf = async (seed: number): Promise<string> => {
      const time = scheduler(seed);
      const order: number[] = [];
      for (let i = 0; i < 8; i++) time.after(1, () => order.push(i));
      await time.advanceTo(1);
      return order.join();
    };
    expect(await orderOf(1)).toBe(await orderOf(1));
    const orders = await Promise.all([1, 2, 3, 4, 5, 6].map(orderOf));
    expect(new Set(orders).size).toBeGreaterThan(1);
  });

  test('once closed, nothing happens any more and nobody can wait', async () => {
    const time = scheduler();
    let happened = false;
    time.after(1, () => {
      happened = true;
    });
    time.close();
    await expect(time.advanceTo(5)).rejects.toThrow('disposed');
    expect(happened).toBe(false);
  });
});

describe('dice', () => {
  test('fall the same for the same seed and purpose, and differently for any other', () => {
    const draw = (dice: Dice): string => Array.from({ length: 8 }, () => dice.below(1_000)).join();
    expect(draw(Dice.of(7, 'links'))).toBe(draw(Dice.of(7, 'links')));
    expect(draw(Dice.of(7, 'links'))).not.toBe(draw(Dice.of(8, 'links')));
    expect(draw(Dice.of(7, 'links'))).not.toBe(draw(Dice.of(7, 'ties')));
  });

  test('go on where they stood once their state is put back', () => {
    const dice = Dice.of(3, 'anything');
    dice.bytes(5);
    const { state } = dice;
    const drawn = dice.bytes(16);
    dice.state = state;
    expect(dice.bytes(16)).toEqual(drawn);
  });

  test('reach every face about as often as any other', () => {
    const dice = Dice.of(11, 'faces');
    const faces = new Map<number, number>();
    for (let i = 0; i < 6_000; i++) {
      const face = dice.between(1, 6);
      faces.set(face, (faces.get(face) ?? 0) + 1);
    }
    expect([...faces.keys()].sort()).toEqual([1, 2, 3, 4, 5, 6]);
    for (const times of faces.values()) expect(Math.abs(times - 1_000)).toBeLessThan(150);
  });
});
