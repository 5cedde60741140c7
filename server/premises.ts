import { join } from 'node:path';
import { operatorToken } from './http/operatorToken.js';
import type { Random } from './ports.js';
import type { Kv } from './store/kv.js';
import { lockDirectory } from './store/lock.js';
import { type OpenOptions, openStore } from './store/openStore.js';

/** How a store of a process is opened. */
export interface StoreRequest extends Omit<OpenOptions, 'directory'> {
  /** What the store is called within the premises. */
  readonly name: string;
}

/** What a process holds on to while it runs, and finds again when it starts anew: its data directory, or a simulated disk. */
export interface Premises {
  /** Takes them for this process alone; nothing else may be asked of them before. */
  lock(): Promise<{ release(): Promise<void> }>;
  /** The operator's token: the one that was here before, or a new one. */
  operatorToken(random: Random): Promise<string>;
  /** Opens a store. Throws `store-corrupt` where it is damaged and not expendable. */
  openStore(request: StoreRequest): Promise<Kv>;
}

/** Premises in the file system. */
export function directoryPremises(directory: string): Premises {
  return {
    lock: () => lockDirectory(directory),
    operatorToken: (random) => operatorToken(directory, random),
    openStore: ({ name, ...options }) => openStore({ ...options, directory: join(directory, name) }),
  };
}
