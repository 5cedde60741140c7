/** Which nodes of a network can send to which. Pure: what becomes of it on the way is for others to do. */
export class Routes {
  readonly #count: number;
  /** Each node's group, by place; all the same where nothing is parted. */
  #groups: readonly number[];
  /** `from>to` of each way that is cut besides. */
  readonly #cuts = new Set<string>();

  constructor(count: number) {
    this.#count = count;
    this.#groups = Array.from({ length: count }, () => 0);
  }

  /** Parts the nodes into groups, in place of those before. A node that no group names is alone. */
  partition(groups: readonly (readonly number[])[]): void {
    const named = groups.flat();
    for (const node of named) this.#require(node);
    const twice = named.find((node, i) => named.indexOf(node) !== i);
    if (twice !== undefined) throw new RangeError(`node ${twice} stands in two groups: a partition names it once`);
    this.#groups = Array.from({ length: this.#count }, (_, node) => {
      const group = groups.findIndex((members) => members.includes(node));
      return group < 0 ? groups.length + node : group;
    });
  }

  /** Cuts one way. */
  cut(from: number, to: number): void {
    this.#require(from);
    this.#require(to);
    if (from === to) throw new RangeError(`node ${from} cannot be cut off from itself`);
    this.#cuts.add(`${from}>${to}`);
  }

  /** Joins all. */
  heal(): void {
    this.#groups = this.#groups.map(() => 0);
    this.#cuts.clear();
  }

  isCut(from: number, to: number): boolean {
    return this.#groups[from] !== this.#groups[to] || this.#cuts.has(`${from}>${to}`);
  }

  /** These nodes in groups that hear each other, be it by way of others of them. A way that is cut in one direction is none. */
  circles(nodes: readonly number[]): number[][] {
    const left = new Set(nodes);
    const circles: number[][] = [];
    for (const first of left) {
      const circle = [first];
      left.delete(first);
      for (const node of circle)
        for (const other of left) {
          if (this.isCut(node, other) || this.isCut(other, node)) continue;
          circle.push(other);
          left.delete(other);
        }
      circles.push(circle.sort((a, b) => a - b));
    }
    return circles;
  }

  #require(node: number): void {
    if (!Number.isInteger(node) || node < 0 || node >= this.#count)
      throw new RangeError(`there is no node ${node}: this network has ${this.#count}, counted from 0`);
  }
}
