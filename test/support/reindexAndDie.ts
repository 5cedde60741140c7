import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { systemClock } from '../../server/system/clock.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { silentLog } from '../kit/sim/silentLog.js';
import { testSignatures } from './memoryChain.js';

/**
 * Repairs a store, and kills itself right before the change of the file system with the number it is given: 0 is the
 * first. Ends with exit code 0 where there are not so many.
 */
const [dataDir = '', dieAt = ''] = process.argv.slice(2);
let left = Number(dieAt);

function countChange(): void {
  if (left === 0) process.kill(process.pid, 'SIGKILL');
  left -= 1;
}

// The five by which a repair changes anything outside its own new store; every module sees them patched.
const { rmSync, mkdirSync, renameSync, writeSync, fsyncSync } = fs;
Object.assign(fs, {
  rmSync: (...args: Parameters<typeof rmSync>) => {
    countChange();
    rmSync(...args);
  },
  mkdirSync: (...args: Parameters<typeof mkdirSync>) => {
    countChange();
    return mkdirSync(...args);
  },
  renameSync: (...args: Parameters<typeof renameSync>) => {
    countChange();
    renameSync(...args);
  },
  writeSync: (...args: [number, string, number]) => {
    countChange();
    return writeSync(...args);
  },
  fsyncSync: (...args: Parameters<typeof fsyncSync>) => {
    countChange();
    fsyncSync(...args);
  },
});
syncBuiltinESMExports();

const { reindex } = await import('../../server/repair/reindex.js');
const signatures = await testSignatures();
await reindex({ dataDir, params: NETWORKS.dev, signatures, clock: systemClock, log: silentLog });
