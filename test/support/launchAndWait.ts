import { launch } from '../kit/processes/launch.js';

// A process that launches a network, names its processes in one line, and waits to be killed.

const net = await launch({ nodes: 1 });
process.stdout.write(`${JSON.stringify(net.nodes.map(({ pid }) => pid))}\n`);
setInterval(() => {}, 60_000);
