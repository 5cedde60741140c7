import { paceOf } from '../../../server/pace.js';
import { FUTURE_DRIFT_MS } from '../../../shared/consensus/params.js';
import { InvariantBroken } from '../sim/invariants/invariantBroken.js';
import type { SimNode } from '../sim/simNode.js';
import { reachStillness, Stillness } from '../sim/stillness.js';
import { strangersTo } from '../sim/strangersTo.js';
import type { Machines } from './machines.js';
import { mine } from './mine.js';
import type { Stage } from './stage.js';

/** Links as good as they get. */
const GOOD_LINKS = {};
/** Looks at peers within which nodes have to find each other again, and to agree after a block that decides. */
const MEETING_ROUNDS = 8;
const AGREEING_ROUNDS = 16;
/** Blocks that may decide, one after the other. Each has to spread before the next. */
const MOST_DECISIONS = 6;
/** Blocks that a branch may have to grow by to outdo another that nobody may follow yet. */
const MOST_CATCHING_UP = 60;

/**
 * Ends every fault, starts whatever is down, lets mining go on, and requires that the network comes to one mind within a
 * bounded time: liveness, which no fault may take away for longer than it lasts.
 */
export async function recover(stage: Stage, machines: Machines): Promise<void> {
  const { net } = stage;
  net.note('all faults end');
  await endFaults(stage);
  for (const node of net.nodes) if (node.disk.isDamaged) machines.wipe(node);
  for (const node of net.nodes) await machines.start(node);
  await meet(stage);
  for (let decisions = 0; decisions < MOST_DECISIONS; decisions++) {
    await decide(stage);
    if (await reachStillness(net, { limitMs: AGREEING_ROUNDS * paceOf(net.params).syncMs })) return;
    requireRunning(stage);
  }
  throw new InvariantBroken('one tip', `faults have ended, and there is no one tip: ${new Stillness(net).why()}`);
}

async function endFaults(stage: Stage): Promise<void> {
  const { net } = stage;
  stage.endPassing();
  await stage.endLies();
  net.heal();
  net.links.setUsual(GOOD_LINKS);
  net.links.clearOwn();
  for (const { disk, clockError, lifeline } of net.nodes) {
    disk.faults.full = false;
    disk.faults.failsToSync = false;
    clockError.aheadMs = 0;
    lifeline?.thaw();
  }
}

/** Lets time go by until every node is in touch with every other, or with as many as it seeks: none is shunned for what others did. */
async function meet({ net: { nodes, scheduler, params } }: Stage): Promise<void> {
  const limitMs = MEETING_ROUNDS * paceOf(params).upkeepMs;
  const haveMet = (): boolean => nodes.every((node) => strangersTo(node, nodes).length === 0);
  if (await scheduler.advanceUntil(haveMet, limitMs)) return;
  const lacking = (node: SimNode): string =>
    strangersTo(node, nodes)
      .map(({ name }) => name)
      .join('+') || 'none';
  const apart = nodes.map((node) => `${node.name} lacks ${lacking(node)}`).join(', ');
  throw new InvariantBroken('nodes meet again', `after ${limitMs / 1000} s without faults ${apart}`);
}

/**
 * Has the branch grow that has the most work among those that everybody may follow by now: a clock that was ahead has left
 * blocks that others may not take yet, and of two branches of the same work neither gives way.
 */
async function decide(stage: Stage): Promise<void> {
  const running = stage.net.nodes.filter(({ isRunning }) => isRunning);
  const limit = stage.net.time + FUTURE_DRIFT_MS + stage.net.params.blockInterval;
  const timely = running.filter((node) => latestTime(node) <= limit);
  const best = byWork(timely.length > 0 ? timely : running);
  if (best === undefined) return;
  for (let blocks = 0; blocks < MOST_CATCHING_UP; blocks++) {
    await mine(stage, best, { count: 1 });
    if (running.every((node) => node === best || isBehind(node, best))) return;
  }
}

/** The latest timestamp among the last blocks of a node's chain: a tip of today may stand on a block of tomorrow. */
function latestTime({ running }: SimNode): number {
  if (running === undefined) return 0;
  const { chain } = running;
  const top = chain.tip.header.height;
  const times = Array.from({ length: MOST_CATCHING_UP }, (_, depth) => chain.at(top - depth)?.header.timestamp ?? 0);
  return Math.max(...times);
}

function byWork(nodes: readonly SimNode[]): SimNode | undefined {
  let best: SimNode | undefined;
  for (const node of nodes) if (best === undefined || isBehind(best, node)) best = node;
  return best;
}

function isBehind(node: SimNode, other: SimNode): boolean {
  return (node.tip?.work ?? 0n) < (other.tip?.work ?? 0n);
}

function requireRunning({ net }: Stage): void {
  const down = net.nodes.filter(({ isRunning }) => !isRunning).map(({ name }) => name);
  if (down.length > 0) throw new InvariantBroken('nodes run on', `${down.join(', ')} went down after all faults ended`);
}
