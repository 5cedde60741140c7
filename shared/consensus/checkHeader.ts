import type { Header } from '../model/header.js';
import type { BlockHash } from '../model/ids.js';
import { accept, refuse, type Verdict } from '../verdict.js';
import { FUTURE_DRIFT_MS, MEDIAN_SPAN, type NetworkParams, versionAt, WORK_BUFFER_BLOCKS } from './params.js';
import type { HeaderReject } from './reject.js';
import { asertBits } from './retarget.js';
import { hashAsNumber, targetFromBits, workOfTarget } from './target.js';

/** What a header is judged against: its parent and what the branch below says. */
export interface ParentContext {
  readonly hash: BlockHash;
  readonly height: number;
  readonly timestamp: number;
  /** Work of the branch up to and with the parent. */
  readonly work: bigint;
  /** Timestamps of the parent and its ancestors, up to 11, in any order. */
  readonly recentTimes: readonly number[];
  /** Timestamp of block 1 of this branch; `undefined` where the parent is genesis. */
  readonly anchorTime: number | undefined;
  /** Whether the parent or a block below it is known to be invalid. */
  readonly invalid: boolean;
}

/**
 * The rules of a header against its ancestors. They stop at the first that fails, in the order of the code: who sends
 * headers must have paid for them with work before we keep anything, and all before that is a comparison of numbers.
 */
export function checkHeader(
  header: Header,
  parent: ParentContext | undefined,
  { params, now }: { readonly params: NetworkParams; readonly now: number },
): Verdict<void, HeaderReject> {
  const { hash, height, timestamp, bits, previous, version } = header;
  const expectedVersion = versionAt(params, height);
  if (version !== expectedVersion) return refuse({ code: 'header-version', version, expected: expectedVersion });
  if (parent === undefined) return refuse({ code: 'header-parent-unknown', previous });
  if (parent.invalid) return refuse({ code: 'header-parent-invalid', previous });
  if (height !== parent.height + 1) return refuse({ code: 'header-height', height, expected: parent.height + 1 });
  const median = medianTime(parent.recentTimes);
  if (timestamp <= median) return refuse({ code: 'header-time-old', timestamp, median });
  const latest = now + FUTURE_DRIFT_MS + params.blockInterval;
  if (timestamp > latest) return refuse({ code: 'header-time-future', timestamp, latest });
  const expected = expectedBits(params, parent);
  if (bits !== expected) return refuse({ code: 'header-bits', bits, expected });
  const target = requireTarget(bits);
  if (hashAsNumber(hash) > target) return refuse({ code: 'header-work', hash, target });
  return accept(undefined);
}

/** The compact target that the block after `parent` must have. */
export function expectedBits(params: NetworkParams, parent: ParentContext): number {
  if (params.retarget === 'none' || parent.anchorTime === undefined) return params.genesisBits;
  return asertBits({
    anchorTarget: params.limit,
    // Block 1 is the anchor; its parent's time is taken to be one interval earlier, so a network starts on schedule
    // whenever its first block is mined, however long ago its parameters were written.
    timeDifference: BigInt(parent.timestamp - (parent.anchorTime - params.blockInterval)),
    heightDifference: BigInt(parent.height - 1),
    blockInterval: BigInt(params.blockInterval),
    halfLife: BigInt(params.halfLife),
    limit: params.limit,
  });
}

/** The middle of up to 11 timestamps; of an even number, the later of the two middle ones. */
export function medianTime(times: readonly number[]): number {
  const sorted = times.slice(0, MEDIAN_SPAN).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median === undefined) throw new RangeError('a median of no timestamps');
  return median;
}

/** The work of a branch that ends in this header. */
export function workWith(parentWork: bigint, header: Header): bigint {
  return parentWork + workOfTarget(requireTarget(header.bits));
}

/** What the tip of the active chain looks like to a branch that wants to be stored. */
export interface WorkFloor {
  readonly minimumWork: bigint;
  readonly tipWork: bigint;
  readonly tipBits: number;
}

/**
 * Whether a branch of this much work is worth storing: at least what the network asks for, and no more than 144 blocks
 * short of the tip. Headers with the easiest target are cheap to make by the million, and a node that stores them all
 * can be filled from outside (CVE-2019-25220).
 */
export function checkMinimumWork(work: bigint, floor: WorkFloor): Verdict<void, HeaderReject> {
  const near = floor.tipWork - workOfTarget(requireTarget(floor.tipBits)) * BigInt(WORK_BUFFER_BLOCKS);
  const minimum = near > floor.minimumWork ? near : floor.minimumWork;
  return work < minimum ? refuse({ code: 'header-minimum-work', work, minimum }) : accept(undefined);
}

function requireTarget(bits: number): bigint {
  const target = targetFromBits(bits);
  if (target === undefined) throw new RangeError(`bits 0x${bits.toString(16)} of a checked header spell no target`);
  return target;
}

/** What a child of a block is judged against, given what the block itself was, with the latest timestamp first. */
export function contextAfter(parent: ParentContext, header: Header): ParentContext {
  const { hash, height, timestamp } = header;
  return {
    ...{ hash, height, timestamp },
    work: workWith(parent.work, header),
    recentTimes: [timestamp, ...parent.recentTimes].slice(0, MEDIAN_SPAN),
    anchorTime: parent.anchorTime ?? timestamp,
    invalid: false,
  };
}
