/** What parts a network, to be put back later. */
export interface Parting<Machine> {
  readonly cuts: readonly (readonly [from: Machine, to: Machine])[];
  /** Each machine's group; `undefined` where nothing is parted. */
  readonly groups: ReadonlyMap<Machine, number> | undefined;
}

/** Which machines of a network can send to which. Pure: what becomes of it on the way is for others to do. */
export class Routes<Machine> {
  #groups: ReadonlyMap<Machine, number> | undefined;
  /** For each machine, whom it cannot send to besides. */
  readonly #cuts = new Map<Machine, Set<Machine>>();

  /** Parts the machines into groups, in place of those before. One that no group names is alone. */
  partition(groups: readonly (readonly Machine[])[]): void {
    const named = groups.flat();
    const twice = named.find((machine, i) => named.indexOf(machine) !== i);
    if (twice !== undefined) throw new RangeError(`node ${twice} stands in two groups: a partition names it once`);
    this.#groups = new Map(
      groups.flatMap((group, number) => group.map((machine): [Machine, number] => [machine, number])),
    );
  }

  /** Cuts one way. */
  cut(from: Machine, to: Machine): void {
    if (from === to) throw new RangeError(`node ${from} cannot be cut off from itself`);
    const cuts = this.#cuts.get(from) ?? new Set();
    this.#cuts.set(from, cuts.add(to));
  }

  /** Joins all. */
  heal(): void {
    this.#groups = undefined;
    this.#cuts.clear();
  }

  get parting(): Parting<Machine> {
    const cuts = Array.from(this.#cuts, ([from, those]) => Array.from(those, (to) => [from, to] as const)).flat();
    return { cuts, groups: this.#groups };
  }

  set parting({ cuts, groups }) {
    this.heal();
    for (const [from, to] of cuts) this.cut(from, to);
    this.#groups = groups;
  }

  isCut(from: Machine, to: Machine): boolean {
    if (from === to) return false;
    if (this.#cuts.get(from)?.has(to)) return true;
    const group = this.#groups?.get(from);
    return this.#groups !== undefined && (group === undefined || group !== this.#groups.get(to));
  }

  /** These machines in groups that hear each other, be it by way of others of them. A way that is cut in one direction is none. */
  circles(machines: readonly Machine[]): Machine[][] {
    const left = new Set(machines);
    const circles: Machine[][] = [];
    for (const first of left) {
      const circle = new Set([first]);
      for (const machine of circle)
        for (const other of left) if (!this.isCut(machine, other) && !this.isCut(other, machine)) circle.add(other);
      for (const machine of circle) left.delete(machine);
      // In the order in which they were given.
      circles.push(machines.filter((machine) => circle.has(machine)));
    }
    return circles;
  }
}
