import { temporaryDirectory } from '../support/temporary.js';
import { runCampaign } from './campaign.js';

/*
 * `npm run --silent crash -- --json`: kills a node at every write point of its life, and the start after it at every
 * write point of its own. What goes wrong is told on standard error; the last line on standard output is the tally.
 */

/** Nodes at a time: each waits for its disk most of the time. */
const PARALLEL = 2;

const json = process.argv.includes('--json');
const startedAt = performance.now();
await using home = await temporaryDirectory();
const tally = await runCampaign({
  home: home.path,
  parallel: PARALLEL,
  choose: (points) => points.map((_point, index) => index + 1),
  // What was done before and half-way is undone by the store: the start after it is that of the point before.
  chooseRecovery: (writes, after) => (after.endsWith('after') ? writes : writes.slice(0, 1)),
  report: (line) => process.stderr.write(`${line}\n`),
});
const seconds = Math.round((performance.now() - startedAt) / 1000);
process.stderr.write(`${seconds} s\n`);
const { writePointsKilled, recoveriesKilled, acknowledgedLost, replayMismatches } = tally;
process.stdout.write(
  json
    ? `${JSON.stringify(tally)}\n`
    : `${writePointsKilled} write points and ${recoveriesKilled} recoveries killed: ${acknowledgedLost} acknowledged lost, ${replayMismatches} states unlike their replay\n`,
);
if (acknowledgedLost > 0 || replayMismatches > 0 || recoveriesKilled === 0) process.exitCode = 1;
