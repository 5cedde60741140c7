import { randomBytes, randomInt } from 'node:crypto';
import type { Random } from '../ports.js';

/** The operating system's source of randomness. */
export const systemRandom: Random = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
  below: (limit) => randomInt(limit),
};
