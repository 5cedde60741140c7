import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '../../client/createClient.js';
import { toBase64 } from '../../shared/bytes/base64.js';
import type { Block } from '../../shared/model/block.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { Transaction, TransferBody } from '../../shared/model/transaction.js';
import { present } from '../kit/assertOk.js';
import { type Spendable, testKey, transfer } from '../kit/builders.js';
import { TestChain } from '../kit/testChain.js';

/** What the node has answered for: from then on it may not lose it. */
export interface Acknowledged {
  readonly blocks: BlockHash[];
  readonly transactions: Transaction[];
}

const [miner, other] = [testKey(1), testKey(2)];
const FEE = 10_000n;
const source = new TestChain();
const genesis = source.genesis.header.hash;

function pay(spend: Spendable): Transaction<TransferBody> {
  return transfer({ genesis, spend: [spend], outputs: [{ address: miner.address, value: spend.coin.value - FEE }] });
}

/** Another transfer of the same coin. */
function payOther(spend: Spendable): Transaction {
  return transfer({ genesis, spend: [spend], outputs: [{ address: other.address, value: spend.coin.value - FEE }] });
}

function outputOf(transaction: Transaction): Spendable {
  return {
    outpoint: { txid: transaction.txid, index: 0 },
    coin: present(transaction.body.outputs[0]),
    key: miner,
  };
}

type Step =
  | { readonly submit: Block }
  | { readonly pay: Transaction }
  /** A block that the node must refuse. */
  | { readonly refused: Block }
  /** A block that the operator sets aside. */
  | { readonly setAside: Block }
  /** Blocks that the node makes of what waits. */
  | { readonly generate: number };

/**
 * Everything that a node writes, in one life: blocks on the tip, transfers that wait and are confirmed, a switch of
 * branches that takes transfers off the chain and confirms another of a coin that one of them spends, a heavier branch
 * that proves invalid when it is nearly connected, and a tip that the operator sets aside.
 */
function script(): Step[] {
  const base = source.grow(source.genesis, 5);
  const [first, second, third, fourth] = base.map((block) => source.coinOf(block));
  const root = present(base.at(-1));
  const parent = pay(present(first));
  const child = pay(outputOf(parent));
  const single = pay(present(second));
  const rival = pay(present(third));
  const winner = payOther(present(third));
  const late = pay(outputOf(child));
  const unmined = pay(present(fourth));

  const old = source.extend(root, { transactions: [parent, child], fees: 2n * FEE });
  const older = source.extend(old, { transactions: [single], fees: FEE });
  const oldest = source.extend(older, { transactions: [rival], fees: FEE });

  const rise = source.extend(root);
  const higher = source.extend(rise, { transactions: [winner, parent], fees: 2n * FEE });
  const [even, over] = source.grow(higher, 2);
  const good = present(even);
  // A coinbase that claims a fee nobody paid: found out when its branch is connected, and not before.
  const greedy = source.extend(good, { fees: 1n });
  const onGreedy = source.extend(greedy);

  return [
    ...base.map((submit): Step => ({ submit })),
    ...[parent, child, single, rival].map((each): Step => ({ pay: each })),
    ...[old, older, oldest].map((submit): Step => ({ submit })),
    ...[unmined, late].map((each): Step => ({ pay: each })),
    ...[rise, higher, good, present(over), greedy].map((submit): Step => ({ submit })),
    { refused: onGreedy },
    { setAside: present(over) },
    { generate: 2 },
  ];
}

const STEPS = script();

/** Goes through the script with a node and notes what it answers for. Throws when the node is gone. */
export async function playScenario(url: string, dataDir: string, acknowledged: Acknowledged): Promise<void> {
  const token = (await readFile(join(dataDir, 'operator-token'), 'utf8')).trim();
  const client = createClient({ url, token, timeoutMs: 30_000 });
  for (const step of STEPS) {
    if ('submit' in step)
      acknowledged.blocks.push((await client.block.submit.mutate({ block: toBase64(step.submit.raw) })).hash);
    else if ('pay' in step) {
      await client.transaction.submit.mutate({ transaction: toBase64(step.pay.raw) });
      acknowledged.transactions.push(step.pay);
    } else if ('setAside' in step) await client.block.invalidate.mutate({ block: step.setAside.header.hash });
    else if ('generate' in step) {
      const { hashes } = await client.block.generate.mutate({ address: miner.address, count: step.generate });
      acknowledged.blocks.push(...hashes);
    } else {
      const refused = await client.block.submit.mutate({ block: toBase64(step.refused.raw) }).then(
        () => false,
        () => true,
      );
      if (!refused) throw new Error('a greedy branch was accepted');
    }
  }
}

/** Goes on with a node that has come back: it has to take new blocks. */
export async function goOn(url: string, dataDir: string, acknowledged: Acknowledged): Promise<void> {
  const token = (await readFile(join(dataDir, 'operator-token'), 'utf8')).trim();
  const client = createClient({ url, token, timeoutMs: 30_000 });
  const { hashes } = await client.block.generate.mutate({ address: miner.address, count: 1 });
  acknowledged.blocks.push(...hashes);
}
