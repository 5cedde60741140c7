import { expect, test } from 'vitest';
import { asertBits } from '../../shared/consensus/retarget.js';
import { targetFromBits } from '../../shared/consensus/target.js';
import { present } from '../kit/assertOk.js';
import { vectorFiles, whyNoVectors } from '../support/vectors.js';

/** Bitcoin Cash's own constants, for which the vectors were made. Times are in seconds. */
const BLOCK_INTERVAL = 600n;
const HALF_LIFE = 172_800n;
const LIMIT = present(targetFromBits(0x1d00ffff));

const why = whyNoVectors();
test.skipIf(why !== undefined)(`ASERT equals the published vectors${why === undefined ? '' : ` (${why})`}`, () => {
  let rows = 0;
  for (const { name, text } of vectorFiles('asert')) {
    const lines = text.split('\n');
    const field = (title: string): string => present(lines.find((line) => line.includes(title))?.split(': ')[1]).trim();
    const anchorHeight = BigInt(field('anchor height'));
    const anchorTime = BigInt(field('anchor ancestor time'));
    const anchorTarget = present(targetFromBits(Number(field('anchor nBits'))));
    for (const line of lines.filter((each) => /^\d/.test(each))) {
      const [, height = '', time = '', bits = ''] = line.trim().split(' ');
      const computed = asertBits({
        anchorTarget,
        timeDifference: BigInt(time) - anchorTime,
        heightDifference: BigInt(height) - anchorHeight,
        blockInterval: BLOCK_INTERVAL,
        halfLife: HALF_LIFE,
        limit: LIMIT,
      });
      expect(computed, `${name}: ${line}`).toBe(Number(bits));
      rows += 1;
    }
    expect(rows, `${name} holds no rows`).toBeGreaterThan(0);
  }
});
