import { bitsAfter, targetOf } from './difficulty.js';
import type { Header } from './model.js';
import { type Network, versionAt } from './network.js';
import type { Broken } from './transactionRules.js';

/** What is known of the branch that a header names as its parent. */
export interface Below {
  /** From genesis to the parent. */
  readonly branch: readonly Header[];
  readonly invalid: boolean;
}

/** The rules of a header against the branch below it, which is `undefined` where the parent is not known. */
export function breaksHeader(
  header: Header,
  below: Below | undefined,
  { network, now }: { network: Network; now: number },
): Broken {
  if (header.version !== versionAt(network, header.height)) return 'header-version';
  if (below === undefined) return 'header-parent-unknown';
  if (below.invalid) return 'header-parent-invalid';
  if (header.height !== below.branch.length) return 'header-height';
  if (header.timestamp <= medianOf(below.branch)) return 'header-time-old';
  if (header.timestamp > latestAt(network, now)) return 'header-time-future';
  if (header.bits !== bitsAfter(network, below.branch)) return 'header-bits';
  if (!meetsTarget(header.hash, header.bits)) return 'header-work';
  return undefined;
}

/** The middle of the last eleven timestamps, or of as many as there are. */
export function medianOf(branch: readonly { readonly timestamp: number }[]): number {
  const sorted = branch
    .slice(-11)
    .map(({ timestamp }) => timestamp)
    .sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The last timestamp that a clock that shows `now` lets pass. */
export function latestAt(network: Network, now: number): number {
  return now + 120_000 + Number(network.interval);
}

export function meetsTarget(hash: string, bits: number): boolean {
  return BigInt(`0x${hash}`) <= targetOf(bits);
}
