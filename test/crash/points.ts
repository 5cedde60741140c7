import { writeSync } from 'node:fs';
import * as z from 'zod';

/** The file descriptor on which a process under test names each of its write points, a line each. */
export const POINTS_FD = 3;
/** The variable that says at which point what strikes, as JSON. */
export const STRIKE_VARIABLE = 'TRESTLE_STRIKE';

/** Where a process is struck, and how: at its write point with this number, 1 and up, by a signal or a failing disk. */
export const strike = z.object({ at: z.int().min(1), by: z.enum(['SIGKILL', 'SIGTERM', 'EIO']) });
export type Strike = z.output<typeof strike>;

const planned = strike.optional().parse(JSON.parse(process.env[STRIKE_VARIABLE] ?? 'null') ?? undefined);
let count = 0;

/** Names a write point and answers whether this process is to be struck there: for what has to be left half done first. */
export function reaches(name: string): boolean {
  count += 1;
  writeSync(POINTS_FD, `${name}\n`);
  return count === planned?.at;
}

/** Whether the strike ends this process for good: only then may something be left half done. */
export function isDeadly(): boolean {
  return planned?.by === 'SIGKILL';
}

/** Strikes this process. After SIGKILL nothing of it runs any more. */
export function strikeNow(): void {
  if (planned === undefined) return;
  // As LMDB tells of it.
  if (planned.by === 'EIO') throw Object.assign(new Error('Input/output error'), { code: 5 });
  process.kill(process.pid, planned.by);
}

/** A write point at which there is nothing to leave half done. */
export function point(name: string): void {
  if (reaches(name)) strikeNow();
}
