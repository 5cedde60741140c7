/** A peer that may have to make room for another. */
export interface Candidate<Item> {
  readonly item: Item;
  /** The network it is in: one operator holds many addresses of one network, and few networks. */
  readonly group: string;
  /** When the session began. */
  readonly since: number;
  /** When it last brought a block or a transaction that was new and valid; `null` where it never has. */
  readonly usefulAt: number | null;
}

/** Who has lately brought something of worth is safe: nobody can have that without doing the work of an honest peer. */
const USEFUL_KEPT = 4;
/** So are the longest connected: whoever wants their places would have had to be there before them. */
const OLD_KEPT_SHARE = 0.5;

/**
 * Which of those that sought us makes room for a newcomer: of the network that holds most places the youngest that is
 * not protected (Bitcoin Core's `AttemptToEvictConnection`). A flood of newcomers fights for the places of the youngest,
 * and the others stay. `undefined` where all are protected.
 */
export function whoMakesRoom<Item>(candidates: readonly Candidate<Item>[]): Item | undefined {
  const useful = candidates
    .filter(({ usefulAt }) => usefulAt !== null)
    .toSorted((a, b) => (b.usefulAt ?? 0) - (a.usefulAt ?? 0))
    .slice(0, USEFUL_KEPT);
  const rest = candidates.filter((each) => !useful.includes(each)).toSorted((a, b) => a.since - b.since);
  const open = rest.slice(Math.ceil(rest.length * OLD_KEPT_SHARE));
  const sizes = new Map<string, number>();
  for (const { group } of candidates) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const sizeOf = ({ group }: Candidate<Item>): number => sizes.get(group) ?? 0;
  // Among equals the later, and they stand in the order of their age.
  const worst = open.reduce<Candidate<Item> | undefined>(
    (worst, each) => (worst === undefined || sizeOf(each) >= sizeOf(worst) ? each : worst),
    undefined,
  );
  return worst?.item;
}
