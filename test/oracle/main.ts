import { parseArgs } from 'node:util';
import { testSignatures } from '../kit/memoryChain.js';
import { emptyTally, runChain } from './driver.js';

const { values } = parseArgs({
  options: {
    chains: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    chain: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const tally = emptyTally();
const seed = Number(values.seed);
const signatures = await testSignatures();
const from = values.chain === undefined ? 0 : Number(values.chain);
const to = values.chain === undefined ? Number(values.chains) : from + 1;
for (let chain = from; chain < to; chain++) {
  const before = tally.disagreements.length;
  const t=performance.now();
  try {
    await runChain({ seed, chain }, { tally, signatures });
  } catch (error) {
    console.error(chain, error);
    tally.disagreements.push({seed,chain,step:-1,detail:'threw'});
  }
  const d=performance.now()-t; if (d>1500) console.error('slow',chain,d);
  for (const each of tally.disagreements.slice(before)) process.stderr.write(`${JSON.stringify(each)}\n`);
  if (tally.disagreements.length > 40) break;
}
console.error(Object.fromEntries([...tally.answers].sort()));
console.error(Object.fromEntries([...tally.reorgsByDepth].sort((a,b)=>a[0]-b[0])));
console.log(tally.chains, tally.blocks, tally.disagreements.length);
