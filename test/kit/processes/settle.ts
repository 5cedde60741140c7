import { sleep } from '../../../client/time.js';
import type { Wtxid } from '../../../shared/model/ids.js';
import type { NetworkNode } from '../network.js';
import { describeViews, type NodeView, viewNode } from '../nodeView.js';

/** The time between two looks: short at first, for most networks have little left to tell. */
const FIRST_WAIT_MS = 25;
const LONGEST_WAIT_MS = 250;
/** How long agreement has to last: what is on its way while two nodes agree changes one of them. */
const AGREED_MS = 100;

/** What a node has that others should have, too; `undefined` where it does not answer. */
export interface Reading {
  readonly tip: string;
  /** The ids of its waiting transactions, as one text. */
  readonly pool: string;
}

/** What is waited for, and how long. */
export interface SettleParts {
  readonly nodes: readonly NetworkNode[];
  /** The nodes that run, in groups that can hear each other. */
  readonly circles: () => readonly (readonly number[])[];
  /** How long nothing may change before mempools that differ count as settled: some transactions not everybody takes. */
  readonly quietMs: number;
  readonly limitMs: number;
  /** Called at each look; what it throws ends the waiting. */
  readonly check: () => void;
  readonly signal: AbortSignal;
}

/** Waits until the nodes in each circle agree. Throws when that takes too long, with what each has. */
export async function settle({ nodes, circles, quietMs, limitMs, check, signal }: SettleParts): Promise<void> {
  const start = performance.now();
  let [wait, since, before] = [FIRST_WAIT_MS, start, ''];
  for (;;) {
    const readings = await Promise.all(nodes.map(read));
    const now = performance.now();
    signal.throwIfAborted();
    check();
    const groups = circles();
    const state = JSON.stringify([readings, groups]);
    if (state !== before) since = now;
    before = state;
    const needed = isAgreed(readings, groups, 'pool') ? AGREED_MS : quietMs;
    if (isAgreed(readings, groups, 'tip') && now - since >= needed) return;
    if (now - start > limitMs) throw new Error(await describe(nodes, groups, limitMs));
    await sleep(wait, signal);
    wait = Math.min(wait * 1.5, LONGEST_WAIT_MS);
  }
}

/** Whether all nodes of each circle have the same. */
export function isAgreed(
  readings: readonly (Reading | undefined)[],
  circles: readonly (readonly number[])[],
  what: keyof Reading,
): boolean {
  return circles.every((circle) => {
    const values = new Set(circle.map((place) => readings[place]?.[what]));
    return values.size === 1 && !values.has(undefined);
  });
}

async function read({ client, isRunning }: NetworkNode): Promise<Reading | undefined> {
  if (!isRunning) return undefined;
  try {
    const { tip } = await client.info.chain.query();
    const ids: Wtxid[] = [];
    let cursor: Wtxid | undefined;
    do {
      const page = await client.transaction.ids.query({ cursor });
      ids.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return { tip, pool: ids.join() };
  } catch {
    return undefined;
  }
}

async function describe(
  nodes: readonly NetworkNode[],
  circles: readonly (readonly number[])[],
  limitMs: number,
): Promise<string> {
  const views = await Promise.all(nodes.map(viewNode));
  const cells = nodes.map(({ index }) => String(circles.findIndex((circle) => circle.includes(index)) + 1 || '-'));
  const hint = circles.some((circle) => areRivals(circle.flatMap((place) => views[place] ?? [])))
    ? ' Branches of equal work stand until one of them grows: mine one more block.'
    : '';
  return [
    `Nodes that hear each other should agree on the tip within ${limitMs / 1000} s, and have no more to tell.${hint}`,
    `${describeViews(views, { title: 'group', cells })}\n`,
  ].join('\n\n');
}

/** Whether nodes stand on different tips of one height, which nothing but a further block decides. */
function areRivals(views: readonly NodeView[]): boolean {
  return new Set(views.map(({ height }) => height)).size === 1 && new Set(views.map(({ tip }) => tip)).size > 1;
}
