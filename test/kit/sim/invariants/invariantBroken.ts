/** Something that must hold of every node in every network does not. */
export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken';
  /** Which one, in a word or two, such as `work-never-falls`: the same fault has the same name in every run. */
  readonly invariant: string;
  /** Where and how. */
  readonly detail: string;

  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
    this.detail = detail;
  }
}
