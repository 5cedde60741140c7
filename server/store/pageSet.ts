/** A set of page numbers: one bit for each page there may be. */
export class PageSet {
  readonly #bits: Uint8Array;

  constructor(pages: number) {
    this.#bits = new Uint8Array(Math.ceil(pages / 8));
  }

  has(page: number): boolean {
    return (this.#byte(page >>> 3) & (1 << (page & 7))) !== 0;
  }

  add(page: number): void {
    this.#bits[page >>> 3] = this.#byte(page >>> 3) | (1 << (page & 7));
  }

  /** Eight pages in a row of which one at least is in both sets, by the first of them; -1 where there is none. */
  sharedWith(other: PageSet): number {
    const byte = this.#bits.findIndex((bits, i) => (bits & other.#byte(i)) !== 0);
    return byte < 0 ? -1 : 8 * byte;
  }

  #byte(index: number): number {
    return this.#bits[index] ?? 0;
  }
}
