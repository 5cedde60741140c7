import { Dice } from '../sim/dice.js';
import { tellLie } from '../sim/liar/tellLie.js';
import type { SimNode } from '../sim/simNode.js';
import { count } from './coverage.js';
import type { Machines } from './machines.js';
import { mine } from './mine.js';
import { chain, conflict, flood, pay } from './payments.js';
import { crashInRecovery, crashInReorg, reorganise } from './reorganise.js';
import type { Stage } from './stage.js';
import { describeStep, type Step, type Work } from './step.js';

/** Does what a step says, as far as the steps before have left it possible. */
export async function takeStep(stage: Stage, machines: Machines, step: Step): Promise<void> {
  const { net } = stage;
  net.note(describeStep(step));
  switch (step.kind) {
    case 'mine':
      return mine(stage, net.node(step.node), { count: step.count });
    case 'mine for the liar':
      return mine(stage, net.node(step.node), { count: step.count, address: (await stage.liar()).payee });
    case 'pay':
      return pay(stage, step);
    case 'chain':
      return chain(stage, step);
    case 'conflict':
      return conflict(stage, step);
    case 'flood':
      return flood(stage, step);
    case 'partition':
      net.partition(...step.groups);
      return stage.count('partitions');
    case 'cut':
      net.cut(step.from, step.to);
      return stage.count('cuts');
    case 'heal':
      net.heal();
      return stage.count('heals');
    case 'links':
      return net.links.setUsual(step.links);
    case 'link':
      return net.links.set(net.node(step.from).name, net.node(step.to).name, step.link);
    case 'reorg':
      return reorganise(stage, step);
    case 'crash in reorg':
      return crashInReorg(stage, machines, step);
    case 'crash':
      return crash(stage, machines, step);
    case 'crash in recovery':
      return crashInRecovery(stage, machines, step);
    case 'restart':
      return machines.start(net.node(step.node));
    case 'stop':
      return machines.stop(net.node(step.node));
    case 'wipe':
      machines.wipe(net.node(step.node));
      return machines.start(net.node(step.node));
    case 'freeze':
      return freeze(stage, net.node(step.node), step.ms);
    case 'clock':
      net.node(step.node).clockError.aheadMs = step.aheadMs;
      return stage.count('clockJumps');
    case 'full disk':
      return fillDisk(stage, net.node(step.node), step.ms);
    case 'slow disk':
      return slowDisk(stage, net.node(step.node), step);
    case 'failing sync':
      net.node(step.node).disk.faults.failsToSync = true;
      return;
    case 'bit flips':
      return flipBits(stage, net.node(step.node), step);
    case 'wait':
      return stage.wait(step.ms);
    case 'lie':
      return lie(stage, step);
  }
}

/** To whichever node hears it, the one that was chosen first. */
async function lie(stage: Stage, step: Step & { readonly kind: 'lie' }): Promise<void> {
  const { net } = stage;
  const liar = await stage.liar();
  const dice = Dice.of(step.seed, step.name);
  for (const victim of [...net.nodes.slice(step.victim), ...net.nodes.slice(0, step.victim)]) {
    // What a lie is made of is read from its victim: a damaged row would be found there, and not by the victim's own work.
    if (victim.disk.isDamaged) continue;
    if (!(await tellLie(liar, step.name, { net, victim, dice }))) continue;
    count(stage.coverage.lies, step.name);
    return;
  }
}

async function crash(stage: Stage, machines: Machines, step: Step & { readonly kind: 'crash' }): Promise<void> {
  const node = stage.net.node(step.node);
  const busy = work(stage, node, step.amid);
  await machines.crash(node, step.how, step.afterMs);
  await busy;
}

/** Something for a node to be in the middle of. */
async function work(stage: Stage, node: SimNode, amid: Work): Promise<void> {
  switch (amid.at) {
    case 'nothing':
      return;
    case 'mining':
      return mine(stage, node, { count: 2 });
    case 'paying':
      return pay(stage, { from: node.index, to: node.index, amount: 50_000 });
    case 'blocks of':
      return mine(stage, stage.net.node(amid.node), { count: 2 });
  }
}

function freeze(stage: Stage, { lifeline }: SimNode, ms: number): void {
  if (lifeline === undefined) return;
  lifeline.freeze();
  stage.count('freezes');
  stage.passing(ms, () => lifeline.thaw());
}

function fillDisk(stage: Stage, node: SimNode, ms: number): void {
  const { disk } = node;
  disk.faults.full = true;
  stage.ledger.unsaved(node);
  stage.passing(ms, () => {
    disk.faults.full = false;
    node.note('its disk has room again');
  });
}

function slowDisk(stage: Stage, { disk }: SimNode, { ms, commitMs }: { ms: number; commitMs: number }): void {
  const usual = disk.faults.commitMs;
  disk.faults.commitMs = [commitMs / 2, commitMs];
  stage.count('slowDisks');
  stage.passing(ms, () => {
    disk.faults.commitMs = usual;
  });
}

function flipBits(stage: Stage, { disk }: SimNode, { store, rows }: { store: string; rows: number }): void {
  for (let row = 0; row < rows; row++) if (disk.flipBit(store)) stage.count('flippedBits');
}
