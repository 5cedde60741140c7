/** How often a test that draws at random repeats: a few times, or as often as `TRESTLE_DAMAGE_RUNS` asks for. */
export function damageRuns(few: number): number {
  const asked = Number(process.env['TRESTLE_DAMAGE_RUNS'] ?? 0);
  return Math.max(few, Number.isSafeInteger(asked) ? asked : 0);
}

/** Numbers that look random and are the same in every run with the same seed (mulberry32). */
export function seeded(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}
