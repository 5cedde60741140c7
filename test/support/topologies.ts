import type { Network } from '../kit/network.js';

/** Who is linked with whom, each link once. */
export type Topology = readonly (readonly [number, number])[];

export function ring(nodes: number): Topology {
  return Array.from({ length: nodes }, (_, node) => [node, (node + 1) % nodes] as const);
}

/** Rows of a width, each node linked with those beside, above and below it. */
export function grid(width: number, height: number): Topology {
  return Array.from({ length: width * height }, (_, node) => node).flatMap((node) => [
    ...((node + 1) % width === 0 ? [] : [[node, node + 1] as const]),
    ...(node + width < width * height ? [[node, node + width] as const] : []),
  ]);
}

export function fullMesh(nodes: number): Topology {
  return Array.from({ length: nodes }, (_, node) => node).flatMap((node) =>
    Array.from({ length: node }, (_, other) => [other, node] as const),
  );
}

/** Leaves only these links of a network, in place of whatever was cut before. */
export function linkOnly(net: Pick<Network, 'nodes' | 'heal' | 'cut'>, links: Topology): void {
  net.heal();
  const linked = new Set(links.flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`]));
  for (const { index: from } of net.nodes)
    for (const { index: to } of net.nodes) if (from !== to && !linked.has(`${from} ${to}`)) net.cut(from, to);
}
