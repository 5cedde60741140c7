import type { NetworkParams } from '../../../shared/consensus/params.js';
import { Dice } from '../sim/dice.js';
import { LIE_NAMES, type LieName } from '../sim/liar/lies.js';
import type { LinkOptions } from '../sim/links.js';
import { drawLinks, drawNetwork, drawPoolBytes } from './conditions.js';
import { type Draw, EPISODES } from './episodes.js';
import type { Step, StepPlan } from './step.js';

/** What is done to a network, and to what kind of network: all of it decided before it begins, by the seed alone. */
export interface Scenario {
  readonly seed: number;
  readonly nodes: number;
  readonly network: NetworkParams;
  readonly links: LinkOptions;
  readonly maxPoolBytes: number | undefined;
  readonly steps: readonly Step[];
}

/** Steps of a scenario. */
const LEAST_STEPS = 25;
const MOST_STEPS = 36;
/** Lies in a scenario. They come by turns, so that a few dozen seeds have all of them. */
const LIES = 3;

/** The scenario of a seed. How a run goes changes nothing in it, so that steps can be left out and the others stay. */
export function scenarioOf(seed: number, nodes: number): Scenario {
  const dice = Dice.of(seed, 'scenario');
  const network = drawNetwork(dice);
  const links = drawLinks(dice);
  const maxPoolBytes = drawPoolBytes(dice);
  const everybody = Array.from({ length: nodes }, (_, index) => index);
  const unpunctual = dice.shuffled(everybody).slice(0, Math.floor((nodes - 1) / 2));
  const rich = dice.shuffled(everybody).slice(0, 3);
  const reward = Number(network.reward);
  const draw: Draw = { dice, nodes, maxPoolBytes, unpunctual, rich, reward };
  const length = dice.between(LEAST_STEPS, MOST_STEPS);
  const start = opening(draw, network.coinbaseMaturity);
  const plans = [...start];
  while (plans.length < length) plans.push(...drawEpisode(draw));
  for (const name of liesOf(seed))
    plans.splice(dice.between(start.length, plans.length), 0, { kind: 'lie', victim: dice.below(nodes), name });
  const steps = plans.map((plan, index): Step => ({ ...plan, number: index + 1, seed: dice.below(2 ** 31) }));
  return { seed, nodes, network, links, maxPoolBytes, steps };
}

/** Blocks of several nodes, and enough on top for the coins of all but the last to be ripe. */
function opening({ dice, nodes, rich }: Draw, maturity: number): readonly StepPlan[] {
  const mined = rich.flatMap((node): StepPlan[] => [
    { kind: 'mine', node, count: dice.between(1, 2) },
    { kind: 'wait', ms: 1_000 },
  ]);
  // Who lies has to have money, too.
  const liar: StepPlan = { kind: 'mine for the liar', node: dice.below(nodes), count: LIES };
  return [...mined, liar, { kind: 'mine', node: dice.below(nodes), count: maturity }];
}

function liesOf(seed: number): LieName[] {
  return Array.from({ length: LIES }, (_, i) => LIE_NAMES[(seed * LIES + i) % LIE_NAMES.length]).flatMap(
    (name) => name ?? [],
  );
}

function drawEpisode(draw: Draw): readonly StepPlan[] {
  const all = EPISODES.reduce((sum, [weight]) => sum + weight, 0);
  let at = draw.dice.below(all);
  for (const [weight, episode] of EPISODES) {
    at -= weight;
    if (at < 0) return episode(draw);
  }
  return [];
}
