/** Something that must hold of every node in every network does not. */
export class InvariantBroken extends Error {
  /** Which one, such as `work-never-falls`. */
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.name = 'InvariantBroken';
    this.invariant = invariant;
  }
}
