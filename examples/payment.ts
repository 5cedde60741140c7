import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { coins, createClient, followChain, formatCoins } from 'trestle/client';
import { NETWORKS, startNode } from 'trestle/server';
import { Wallet, wordsFromEntropy } from 'trestle/wallet';

// A node of its own, on any free port. `await using` stops it at the end.
const dataDir = await mkdtemp(join(tmpdir(), 'trestle-example-'));
await using node = await startNode(NETWORKS.dev, { dataDir, port: 0, logLevel: 'warn' });

// A typed client: hover over any call for its input and its output.
const client = createClient({ url: node.url, token: node.token });

// Two wallets. Their words never leave this process.
const words = () => wordsFromEntropy(new Uint8Array(randomBytes(16)));
const alice = new Wallet({ client, words: words() });
const bob = new Wallet({ client, words: words() });

// Four blocks pay Alice, and the coins of the first two are ripe by now.
const { hashes } = await client.block.generate.mutate({ address: alice.address, count: 4 });
const amount = coins('0.75');
const { txid, fee } = await alice.send({ recipients: [{ to: bob.address, amount }] });
console.log(`sent ${formatCoins(amount)} coins for a fee of ${formatCoins(fee)}`);

// Follow the chain until a block holds the payment.
const mining = client.block.generate.mutate({ address: alice.address });
for await (const { kind, block } of followChain(client, { after: hashes.at(-1), pollMs: 50 })) {
  console.log(`${kind} block ${block.height} with ${block.transactionCount} transactions`);
  if ((await client.transaction.get.query({ txid })).block !== null) break;
}
await mining;
console.log(`Bob has ${formatCoins((await bob.balance()).confirmed)} coins`);
