import { type ChainParts, Chainstate } from '../../server/chain/chainstate.js';
import { VerifiedSet } from '../../server/chain/verifiedSet.js';
import type { Clock, Signatures } from '../../server/ports.js';
import type { Kv } from '../../server/store/kv.js';
import { memoryKv } from '../../server/store/memoryKv.js';
import { inlineSignatures } from '../../server/system/signatures.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import type { NetworkParams } from '../../shared/consensus/params.js';
import { silentLog } from '../kit/sim/silentLog.js';
import { allEngines } from './engines.js';

/** A clock that stands still unless it is moved, and whose timers never fire. */
export function stillClock(start = 1_800_000_000_000): Clock & { set(now: number): void } {
  let now = start;
  return {
    now: () => now,
    monotonic: () => now,
    after: () => () => {},
    yield: () => Promise.resolve(),
    set: (moved) => {
      now = moved;
    },
  };
}

/** What a chain in memory is made from; what is left out is plain. */
export interface MemoryChainOptions {
  readonly params?: NetworkParams;
  readonly kv?: Kv;
  readonly clock?: Clock;
  readonly signatures?: Signatures;
  readonly verified?: VerifiedSet;
  readonly keep?: ChainParts['keep'];
}

/** The fastest signature checks of this machine. */
export async function testSignatures(): Promise<Signatures> {
  const engine = (await allEngines()).at(-1);
  if (engine === undefined) throw new Error('no engine');
  return inlineSignatures(engine, stillClock());
}

/** A real chain over a store in memory. */
export async function memoryChain(options: MemoryChainOptions = {}): Promise<Chainstate> {
  return Chainstate.open({
    params: options.params ?? NETWORKS.dev,
    kv: options.kv ?? memoryKv(),
    directory: 'memory',
    clock: options.clock ?? stillClock(),
    signatures: options.signatures ?? (await testSignatures()),
    verified: options.verified ?? new VerifiedSet(),
    log: silentLog,
    ...(options.keep === undefined ? {} : { keep: options.keep }),
  });
}
