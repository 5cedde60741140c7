import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { startNode } from '../../server/node.js';
import { NETWORKS } from '../../shared/consensus/networks.js';

// A node on the network stack that this process was put into, told by its arguments. Sockets in the file system know no
// namespaces: over one of them whoever started the process reaches the node from outside. Ends with its parent.

const [address = '', dataDir = '', socket = '', ...peers] = process.argv.slice(2);
process.once('disconnect', () => process.exit(1));
const node = await startNode(NETWORKS.dev, {
  ...{ host: address, peers, dataDir, logLevel: 'silent' },
  // Addresses look public in there, and are to be treated so. Its operator comes from there, too.
  ...{ allowPrivate: false, remoteOperator: true },
});
const gate = createServer((inner) => {
  const outer = connect(Number(new URL(node.url).port), address);
  for (const [from, to] of [
    [inner, outer],
    [outer, inner],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
  }
});
gate.listen(socket, () => process.send?.({ url: node.url, token: node.token }));
process.once('SIGTERM', () => void node.stop());
await node.stopped;
rmSync(socket, { force: true });
process.exit(0);
