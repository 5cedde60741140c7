import { expect, test } from 'vitest';
import { boundedLog, LINES_A_MINUTE } from '../../../server/system/boundedLog.js';
import { recordingLog } from '../../support/recordingLog.js';

test('of a message that is said without end, so many lines a minute are written, and how many were left out', () => {
  const written = recordingLog();
  let now = 0;
  const log = boundedLog(written, { monotonic: () => now });
  for (let i = 0; i < 100_000; i++) log.info('a block was refused', { i });
  log.warn('something else');
  expect(written.lines).toHaveLength(LINES_A_MINUTE + 1);
  expect(written.lines.at(-1)).toMatchObject({ level: 'warn', message: 'something else' });
  now = 60_000;
  log.info('a block was refused', { i: 1 });
  expect(written.lines.at(-1)?.fields).toEqual({ i: 1, leftOutBefore: 100_000 - LINES_A_MINUTE });
  now = 120_000;
  log.info('a block was refused');
  expect(written.lines.at(-1)?.fields).toEqual({});
});

test('messages without number do not fill the memory either', () => {
  const written = recordingLog();
  const log = boundedLog(written, { monotonic: () => 0 });
  for (let i = 0; i < 2_000; i++) log.info(`message ${i}`);
  // The first is forgotten, so it is written as if it were new.
  for (let i = 0; i <= LINES_A_MINUTE; i++) log.info('message 1999');
  log.info('message 0');
  expect(written.lines.at(-1)?.message).toBe('message 0');
});
