import { beforeAll, describe, expect, test } from 'vitest';
import { type CampaignResult, FULL_CAMPAIGN, runCampaign } from '../kit/campaign/campaign.js';
import { missingLies } from '../kit/campaign/coverage.js';
import { describeFailure } from '../kit/campaign/report.js';
import { LIE_NAMES } from '../kit/sim/liar/lies.js';

/** Enough for all that can happen to happen, few enough for every run of the tests. */
const SEEDS = Array.from({ length: FULL_CAMPAIGN }, (_, index) => index + 1);
/** Whether a run goes the same way again hangs on the machinery, not on the seed: some are enough, and `trestle sim` repeats all. */
const REPEATED = 10;
const LIMIT_MS = 180_000;

describe(`${SEEDS.length} seeds of 5 nodes`, () => {
  let result: CampaignResult;

  beforeAll(async () => {
    result = await runCampaign({ seeds: SEEDS, nodes: 5, processes: 2, repeated: REPEATED });
  }, LIMIT_MS);

  test('break nothing', () => {
    expect(result.failures.map(describeFailure).join('\n')).toBe('');
  });

  test('go the same way twice, in different processes, as far as they are repeated', () => {
    expect(result.deterministic).toBe(true);
  });

  test('meet with everything that can happen', () => {
    expect(result.missing).toEqual([]);
  });

  test('hear most of the lies there are', () => {
    // A lie is only told where somebody asks for what it is about, so that a few miss their moment.
    expect(missingLies(result.coverage).length).toBeLessThan(LIE_NAMES.length / 5);
  });
});
