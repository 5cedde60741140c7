import type { HeaderFields } from './model.js';
import type { Network } from './network.js';

/** The target that compact bits spell, whether or not in the one spelling. */
export function targetOf(bits: number): bigint {
  const exponent = bits >>> 24;
  const mantissa = BigInt(bits & 0xffffff);
  return exponent <= 3 ? mantissa >> BigInt(8 * (3 - exponent)) : mantissa << BigInt(8 * (exponent - 3));
}

/** The shortest compact spelling, rounded down, with the sign bit clear. */
export function compactOf(target: bigint): number {
  let size = 0;
  while (target >> BigInt(8 * size) > 0n) size += 1;
  let mantissa = size <= 3 ? target << BigInt(8 * (3 - size)) : target >> BigInt(8 * (size - 3));
  if (mantissa >= 0x800000n) {
    mantissa >>= 8n;
    size += 1;
  }
  return size * 2 ** 24 + Number(mantissa);
}

export function workOf(bits: number): bigint {
  return 2n ** 256n / (targetOf(bits) + 1n);
}

/** The bits of the block that follows `branch`, which begins with genesis. */
export function bitsAfter(network: Network, branch: readonly HeaderFields[]): number {
  const [, anchor] = branch;
  const parent = branch.at(-1);
  if (network.retarget === 'none' || anchor === undefined || parent === undefined) return network.genesisBits;
  const timeDifference = BigInt(parent.timestamp) - (BigInt(anchor.timestamp) - network.interval);
  const heightDifference = BigInt(parent.height - 1);
  const easiest = targetOf(network.genesisBits);
  const target = asert(easiest, timeDifference - network.interval * (heightDifference + 1n), network.halfLife);
  if (target < 1n) return compactOf(1n);
  return compactOf(target > easiest ? easiest : target);
}

/** aserti3-2d, in whole numbers: `target * 2^(lateness / halfLife)`, by a cubic for the fraction of the exponent. */
function asert(target: bigint, lateness: bigint, halfLife: bigint): bigint {
  const exponent = (lateness * 65_536n) / halfLife;
  let shifts = exponent >> 16n;
  const fraction = exponent - shifts * 65_536n;
  const cubic = 195_766_423_245_049n * fraction + 971_821_376n * fraction ** 2n + 5_127n * fraction ** 3n + (1n << 47n);
  const factor = 65_536n + (cubic >> 48n);
  if (shifts >= 256n) return 2n ** 256n;
  if (shifts <= -512n) return 0n;
  shifts -= 16n;
  return shifts <= 0n ? (target * factor) >> -shifts : (target * factor) << shifts;
}
