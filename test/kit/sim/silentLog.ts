import type { Logger } from '../../../server/ports.js';

const say = (): void => {};

/** A log that nobody reads. */
export const silentLog: Logger = { debug: say, info: say, warn: say, error: say };
