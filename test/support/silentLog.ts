import type { Logger } from '../../server/ports.js';

/** A log that nobody reads. */
export const silentLog: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
