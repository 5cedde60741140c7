/** How many of the latest blocks a locator names one by one before it takes longer steps. */
const DENSE = 10;

/**
 * The heights of a locator from `tip` down to genesis: the latest ten, then at distances that double. Whoever reads it
 * finds the fork within twice its depth, and it has about forty entries for a million blocks.
 */
export function locatorHeights(tip: number): number[] {
  const heights: number[] = [];
  let step = 1;
  for (let height = tip; height > 0; height -= step) {
    heights.push(height);
    if (heights.length >= DENSE) step *= 2;
  }
  return [...heights, 0];
}
