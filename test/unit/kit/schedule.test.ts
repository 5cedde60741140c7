import { expect, test } from 'vitest';
import { Schedule } from '../../kit/processes/schedule.js';

test('actions run when their time has come, in its order, and one whose time has passed at once', async () => {
  const done: string[] = [];
  const schedule = new Schedule(() => {});
  await new Promise<void>((resolve) => {
    schedule.after(40, () => {
      done.push('last');
      resolve();
    });
    schedule.after(20, () => void done.push('second'));
    schedule.after(-5, () => void done.push('first'));
  });
  expect(done).toEqual(['first', 'second', 'last']);
});

test('failures are told, of actions that take their time, too', async () => {
  const failures: unknown[] = [];
  await new Promise<void>((resolve) => {
    const schedule = new Schedule((error) => {
      failures.push(error);
      if (failures.length === 2) resolve();
    });
    schedule.after(0, () => {
      throw new Error('at once');
    });
    schedule.after(0, async () => {
      await Promise.resolve();
      throw new Error('later');
    });
  });
  expect(failures.map(String)).toEqual(['Error: at once', 'Error: later']);
});

test('what has not begun when it closes never does, and what fails after that is nobody’s business', async () => {
  const done: string[] = [];
  const schedule = new Schedule(() => done.push('failed'));
  let fail = (): void => {};
  const failed = new Promise<void>((resolve) => {
    fail = resolve;
  });
  await new Promise<void>((resolve) => {
    schedule.after(0, async () => {
      resolve();
      await failed;
      throw new Error('under way');
    });
  });
  schedule.after(1, () => void done.push('ran'));
  schedule.close();
  fail();
  await new Promise<void>((resolve) => new Schedule(() => {}).after(5, resolve));
  expect(done).toEqual([]);
});
