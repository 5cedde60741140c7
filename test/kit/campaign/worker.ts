import { type Answer, task } from './messages.js';
import { runScenario } from './runScenario.js';
import { scenarioOf } from './scenario.js';
import { shrink } from './shrink.js';
import { tellingLines } from './tellingLines.js';

/** One process of a campaign: gets tasks, one at a time, and answers what they came to. Ends with its parent. */
const send = process.send?.bind(process);
if (send === undefined) throw new Error('this file runs as a process of a campaign');

process.on('message', (message: unknown) => {
  void take(message).then((answer) => send(answer));
});
process.once('disconnect', () => process.exit());

async function take(message: unknown): Promise<Answer> {
  const { kind, seed, nodes } = task.parse(message);
  const scenario = scenarioOf(seed, nodes);
  const outcome = await runScenario(scenario);
  if (kind === 'run') return { kind: 'ran', outcome };
  if (outcome.failure === undefined) return { kind: 'shrunk' };
  const { steps, log } = await shrink(scenario, outcome.failure);
  return { kind: 'shrunk', shrunk: { steps: [...steps], log: tellingLines(log) } };
}
