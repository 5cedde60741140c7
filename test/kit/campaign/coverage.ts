import * as z from 'zod';
import { LIE_NAMES } from '../sim/liar/lies.js';

/** What can happen in a run, by name. The figures of a run are how often each did. */
export const KINDS = [
  'blocksMined',
  'paymentsTaken',
  'paymentsConfirmed',
  'paymentsReturned',
  'paymentsConflicting',
  'evictions',
  'processCrashes',
  'powerCrashes',
  'crashesInRecovery',
  'recoveries',
  'stops',
  'wipes',
  'partitions',
  'cuts',
  'heals',
  'clockJumps',
  'freezes',
  'commitsRefused',
  'slowDisks',
  'failedSyncs',
  'flippedBits',
  'damageFound',
  'peersDropped',
  'liarsDropped',
  'liarsBanned',
  'lostMessages',
  'brokenConnections',
  'doubledMessages',
] as const;

export type Kind = (typeof KINDS)[number];

const kinds = z.record(z.enum(KINDS), z.int().min(0));

/** Coverage, as processes tell each other of it. */
export const coverage = z.strictObject({
  counts: kinds,
  /** Reorganisations, by how many blocks left the chain. */
  reorganisations: z.map(z.int(), z.int()),
  /** Lies that were told, by name. */
  lies: z.map(z.string(), z.int()),
});

/** What has happened. Every count is of something that took effect, not of something that was tried. */
export type Coverage = z.infer<typeof coverage>;

/** A campaign has to have seen a reorganisation of this depth. */
const DEEP = 4;

export function emptyCoverage(): Coverage {
  const counts = kinds.parse(Object.fromEntries(KINDS.map((kind) => [kind, 0])));
  return { counts, reorganisations: new Map(), lies: new Map() };
}

/** Adds what another run has covered. */
export function addCoverage(sum: Coverage, { counts, reorganisations, lies }: Coverage): void {
  for (const kind of KINDS) sum.counts[kind] += counts[kind];
  for (const [depth, times] of reorganisations) count(sum.reorganisations, depth, times);
  for (const [name, times] of lies) count(sum.lies, name, times);
}

export function count<Key>(counts: Map<Key, number>, key: Key, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

/** The kinds of things that never happened: what a campaign has not tried it has not shown. */
export function missingKinds({ counts, reorganisations }: Coverage): readonly string[] {
  const depths = [...reorganisations.keys()];
  return [
    ...KINDS.filter((kind) => counts[kind] === 0),
    ...(depths.length === 0 ? ['reorganisations'] : []),
    ...(depths.some((depth) => depth >= DEEP) ? [] : [`reorganisations of depth ${DEEP} and more`]),
  ];
}

/** The lies that nobody told. */
export function missingLies({ lies }: Coverage): readonly string[] {
  return LIE_NAMES.filter((name) => !lies.has(name)).map((name) => `lie: ${name}`);
}

/** Coverage as one flat object, for `--json`. */
export function coverageView({ counts, reorganisations, lies }: Coverage): Readonly<Record<string, unknown>> {
  const byDepth = [...reorganisations].sort(([a], [b]) => a - b);
  const byName = [...lies].sort(([a], [b]) => (a < b ? -1 : 1));
  return { reorganisations: Object.fromEntries(byDepth), ...counts, lies: Object.fromEntries(byName) };
}
