import type { Network, NetworkNode } from './network.js';

/** `silent`: it should run, but does not answer. */
export type NodeState = 'running' | 'down' | 'silent';

/** One node at a glance. What is not known, because it does not answer, is `undefined`. */
export interface NodeView {
  readonly name: string;
  readonly state: NodeState;
  readonly height: number | undefined;
  /** The hash of its tip. */
  readonly tip: string | undefined;
  /** How many transactions wait in its mempool. */
  readonly waiting: number | undefined;
}

/** One more column of a table of nodes. */
export interface Column {
  readonly title: string;
  /** One cell for each node. */
  readonly cells: readonly string[];
}

/** Digits of a hash that are shown: enough to tell two apart. */
const SHORT_HASH = 12;

/** What every node of a network shows of itself, in their order. */
export function viewNodes(net: Pick<Network, 'nodes'>): Promise<NodeView[]> {
  return Promise.all(net.nodes.map(viewNode));
}

/** What a node shows of itself. */
export async function viewNode({ name, client, isRunning }: NetworkNode): Promise<NodeView> {
  const nothing = { height: undefined, tip: undefined, waiting: undefined };
  if (!isRunning) return { name, state: 'down', ...nothing };
  try {
    const [{ height, tip }, { count }] = await Promise.all([client.info.chain.query(), client.info.mempool.query()]);
    return { name, state: 'running', height, tip, waiting: count };
  } catch {
    return { name, state: 'silent', ...nothing };
  }
}

/** A table of nodes, one a line, for whoever reads why a test failed. */
export function describeViews(views: readonly NodeView[], more?: Column): string {
  const columns: Column[] = [
    { title: 'node', cells: views.map(({ name }) => name) },
    { title: 'height', cells: views.map(({ height }) => shown(height)) },
    { title: 'tip', cells: views.map(({ tip }) => shown(tip?.slice(0, SHORT_HASH))) },
    { title: 'waiting', cells: views.map(({ waiting }) => shown(waiting)) },
    { title: 'state', cells: views.map(({ state }) => state) },
    ...(more === undefined ? [] : [more]),
  ];
  const widths = columns.map(({ title, cells }) => Math.max(...[title, ...cells].map(({ length }) => length)));
  const rows = [columns.map(({ title }) => title), ...views.map((_, i) => columns.map(({ cells }) => cells[i] ?? ''))];
  // Numbers to the right, so that their digits stand under one another.
  const isNumber = (column: number): boolean => ['height', 'waiting'].includes(columns[column]?.title ?? '');
  return rows
    .map((row) => row.map((cell, i) => pad(cell, widths[i] ?? 0, isNumber(i))).join('  '))
    .map((line) => `  ${line}`.trimEnd())
    .join('\n');
}

function pad(cell: string, width: number, toTheRight: boolean): string {
  return toTheRight ? cell.padStart(width) : cell.padEnd(width);
}

function shown(value: number | string | undefined): string {
  return value === undefined ? '-' : String(value);
}
