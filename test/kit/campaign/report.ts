import { styleText } from 'node:util';
import { table } from '../../../client/cli/output.js';
import type { CampaignResult, Failure } from './campaign.js';
import { type Coverage, coverageView, type Kind } from './coverage.js';

/** Reorganisations of this depth and more are counted together where people read. */
const DEEPEST_SHOWN = 6;

/** What people are shown of coverage, by what it is about. */
const GROUPS: readonly (readonly [group: string, kinds: readonly (readonly [Kind, string])[]])[] = [
  ['blocks', [['blocksMined', 'mined']]],
  [
    'payments',
    [
      ['paymentsTaken', 'taken'],
      ['paymentsConfirmed', 'confirmed'],
      ['paymentsReturned', 'returned by a reorganisation'],
      ['paymentsConflicting', 'spent twice'],
      ['evictions', 'evicted'],
    ],
  ],
  [
    'nodes',
    [
      ['processCrashes', 'killed'],
      ['powerCrashes', 'without power'],
      ['crashesInRecovery', 'in recovery'],
      ['recoveries', 'recovered'],
      ['stops', 'stopped'],
      ['freezes', 'frozen'],
      ['clockJumps', 'clocks set wrong'],
    ],
  ],
  [
    'disks',
    [
      ['commitsRefused', 'full at a commit'],
      ['failedSyncs', 'syncs failed'],
      ['flippedBits', 'bits flipped'],
      ['damageFound', 'damage found'],
      ['wipes', 'replaced'],
      ['slowDisks', 'slow'],
    ],
  ],
  [
    'network',
    [
      ['partitions', 'partitions'],
      ['cuts', 'one-way cuts'],
      ['heals', 'healed'],
      ['peersDropped', 'peers dropped'],
      ['liarsDropped', 'liars among them'],
      ['liarsBanned', 'liars banned'],
    ],
  ],
  [
    'messages',
    [
      ['lostMessages', 'lost'],
      ['brokenConnections', 'broken off'],
      ['doubledMessages', 'doubled'],
    ],
  ],
];

/** Whether nothing failed, and all was tried. */
export function isGood({ failures, missing }: CampaignResult): boolean {
  return failures.length === 0 && missing.length === 0;
}

/** A campaign's result for scripts. */
export function campaignView(result: CampaignResult, seconds: number): object {
  const { seeds, deterministic, failures, virtualMs, events, coverage, missing } = result;
  return {
    seeds,
    deterministic,
    failures: failures.map(({ seed, invariant, message, replay }) => ({ seed, invariant, message, replay })),
    virtualHours: Number((virtualMs / 3_600_000).toFixed(3)),
    events,
    coverage: coverageView(coverage),
    neverHappened: missing,
    seconds: Number(seconds.toFixed(1)),
  };
}

/** A campaign's result for people. */
export function describeCampaign(result: CampaignResult, seconds: number): string {
  const { failures, missing } = result;
  const lines = [headline(result), '', figures(result, seconds), '', coverageTable(result.coverage)];
  if (missing.length > 0) lines.push('', `${styleText('red', 'never happened')}: ${missing.join(', ')}`);
  return [...lines, ...failures.map((failure) => `\n${describeFailure(failure)}`)].join('\n');
}

/** One failure, with the log that tells how it came and the command that runs it again. */
export function describeFailure({ seed, invariant, message, replay, log }: Failure): string {
  const head = `${styleText('red', `seed ${seed} broke "${invariant}"`)}: ${message}`;
  return [head, ...log.map((line) => styleText('dim', `  ${line}`)), `  ${styleText('bold', replay)}`].join('\n');
}

/** What happened, in groups, a line each. What did not happen is left out. */
export function coverageTable({ counts, reorganisations, lies }: Coverage): string {
  const lines = GROUPS.map(([group, kinds]): readonly string[] => [
    group,
    inWords(kinds.map(([kind, words]) => [counts[kind], words])),
  ]);
  const told = [...lies].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, times]): Count => [times, name]);
  const rows = [...lines.slice(0, 1), ['reorganisations', depths(reorganisations)], ...lines.slice(1)];
  return table([...rows, ['lies', inWords(told)]].filter(([, words]) => words !== ''));
}

type Count = readonly [times: number, words: string];

function inWords(counts: readonly Count[]): string {
  return counts
    .filter(([times]) => times > 0)
    .map(([times, words]) => `${figure(times)} ${words}`)
    .join(', ');
}

function headline({ seeds, failures, deterministic, missing }: CampaignResult): string {
  const runs = seeds === 1 ? '1 seed, run twice' : `${seeds} seeds, each run twice`;
  if (failures.length > 0) return styleText('red', `${runs}: ${failures.length} failed`);
  if (missing.length > 0) return styleText('red', `${runs}: nothing broke, but not everything was tried`);
  return styleText('green', `${runs}${deterministic ? ' and the same both times' : ''}: nothing broke`);
}

function figures({ virtualMs, events }: CampaignResult, seconds: number): string {
  const minutes = virtualMs / 60_000;
  const time = minutes < 60 ? `${minutes.toFixed(1)} virtual minutes` : `${(minutes / 60).toFixed(1)} virtual hours`;
  return `${time} and ${figure(events)} events in ${seconds.toFixed(0)} s`;
}

function depths(reorganisations: ReadonlyMap<number, number>): string {
  const shown = Array.from({ length: DEEPEST_SHOWN }, () => 0);
  for (const [depth, times] of reorganisations) {
    const at = Math.min(depth, DEEPEST_SHOWN) - 1;
    shown[at] = (shown[at] ?? 0) + times;
  }
  return inWords(shown.map((times, at) => [times, `of depth ${at + 1}${at + 1 === DEEPEST_SHOWN ? ' and more' : ''}`]));
}

function figure(value: number): string {
  return value.toLocaleString('en-GB');
}
