import type { SimNode } from '../sim/simNode.js';
import type { Stage } from './stage.js';

/** Base units kept back for the fee: a payment of a dozen inputs has some 700 bytes, at a unit each. */
const ROOM_FOR_FEES = 2_000n;

/** What a payment is made of, beside the wallet and the node. */
interface Payment {
  readonly to: number;
  readonly amount: bigint;
  readonly feeRate?: number;
}

/** A payment from one node's wallet to another's. */
export async function pay(stage: Stage, { from, to, amount }: { from: number; to: number; amount: number }) {
  await send(stage, { wallet: from, node: stage.net.node(from) }, { to, amount: BigInt(amount) });
}

/** Payments by one wallet to itself, each of all it has: each spends what the one before has made. */
export async function chain(stage: Stage, { wallet, length }: { wallet: number; length: number }): Promise<void> {
  const node = stage.net.node(wallet);
  for (let sent = 0; sent < length; sent++) {
    const amount = await allOf(stage, wallet, node);
    if (amount === undefined) return;
    await send(stage, { wallet, node }, { to: wallet, amount });
  }
}

/** All that a wallet has, spent at two nodes at once: where neither has heard of the other's payment, both take theirs. */
export async function conflict(
  stage: Stage,
  { wallet, nodes }: { wallet: number; nodes: readonly [number, number] },
): Promise<void> {
  const txids = await Promise.all(
    nodes.map(async (index) => {
      const node = stage.net.node(index);
      const amount = await allOf(stage, wallet, node);
      return amount === undefined ? undefined : send(stage, { wallet, node }, { to: index, amount });
    }),
  );
  const [one, other] = txids;
  if (one !== undefined && other !== undefined && one !== other) stage.count('paymentsConflicting');
}

/** Small payments of all wallets in turn through one node, each dearer than the one before. */
export async function flood(stage: Stage, { node: index, count }: { node: number; count: number }): Promise<void> {
  const { nodes } = stage.net;
  const node = stage.net.node(index);
  for (let feeRate = 1; feeRate <= count; feeRate++)
    await send(
      stage,
      { wallet: feeRate % nodes.length, node },
      { to: index, amount: 1_000n + BigInt(feeRate), feeRate },
    );
}

/** Answers the payment's txid where the node has taken it. */
async function send(
  stage: Stage,
  { wallet, node }: { wallet: number; node: SimNode },
  { to, amount, feeRate }: Payment,
): Promise<string | undefined> {
  const recipient = stage.wallet(to, stage.net.node(to)).address;
  const recipients = [{ to: recipient, amount }];
  const sent = await stage.attempt(node, stage.wallet(wallet, node).send({ recipients, feeRate }));
  if (sent !== undefined) stage.ledger.answered(sent.txid, node);
  return sent?.txid;
}

/** What a wallet could pay at most, by what a node knows; `undefined` where that is nothing. */
async function allOf(stage: Stage, wallet: number, node: SimNode): Promise<bigint | undefined> {
  const balance = await stage.attempt(node, stage.wallet(wallet, node).balance());
  const amount = balance === undefined ? 0n : balance.confirmed + balance.pending - ROOM_FOR_FEES;
  return amount > 0n ? amount : undefined;
}
