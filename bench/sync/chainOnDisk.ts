import native from 'secp256k1/bindings.js';
import { startNode } from '../../server/node.js';
import { distinctOwners, sighash } from '../../shared/consensus/checkInputs.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { SIGNATURE_BYTES } from '../../shared/crypto/signature.js';
import type { Block } from '../../shared/model/block.js';
import { sealTransaction, type Transaction, txidOf } from '../../shared/model/transaction.js';
import { accept } from '../../shared/verdict.js';
import { assertOk, present } from '../../test/kit/assertOk.js';
import { type Spendable, testKey, transfer, transferBody } from '../../test/kit/builders.js';
import { TestChain } from '../../test/kit/testChain.js';

/** What each coin is worth that is passed on from block to block, in base units, and what it loses each time. */
const VALUE = 140_000n;
const STEP = 100n;

/**
 * Makes a data directory with a chain of payments of one input and two outputs. The node that writes it does not check
 * the signatures: whoever synchronizes from it will.
 */
export async function chainOnDisk(
  dataDir: string,
  { blocks, perBlock }: { readonly blocks: number; readonly perBlock: number },
): Promise<number> {
  const signatures = {
    engine: 'none',
    check: async (checks: readonly unknown[]) => checks.map(() => accept(undefined)),
  };
  const config = { name: 'builder', port: 0, dataDir, logLevel: 'silent', allowPrivate: true } as const;
  const node = await startNode(NETWORKS.dev, config, { signatures });
  for (const block of paymentBlocks(blocks, perBlock)) assertOk(await node.chain.submitBlock(block));
  const { height } = node.chain.tip.header;
  await node.stop();
  return height;
}

function* paymentBlocks(blocks: number, perBlock: number): Generator<Block> {
  const source = new TestChain();
  const key = testKey(1);
  const genesis = source.genesis.header.hash;
  const first = source.grow(source.genesis, 3);
  yield* first;
  const outputs = Array.from({ length: perBlock }, () => ({ address: key.address, value: VALUE }));
  const spread = transfer({ genesis, spend: [source.coinOf(present(first[0]))], outputs });
  let tip = source.extend(present(first.at(-1)), {
    transactions: [spread],
    fees: 150_000_000n - VALUE * BigInt(perBlock),
  });
  yield tip;
  let coins = spread.body.outputs.map(
    (coin, index): Spendable => ({ outpoint: { txid: spread.txid, index }, coin, key }),
  );
  for (let i = 0; i < blocks; i++) {
    const transactions = coins.map((coin) => pay(genesis, coin));
    coins = transactions.map(
      ({ txid, body }): Spendable => ({ outpoint: { txid, index: 0 }, coin: present(body.outputs[0]), key }),
    );
    tip = source.extend(tip, { transactions });
    yield tip;
  }
}

/** A payment signed by the native library: a quarter of a million would take JavaScript minutes. */
function pay(genesis: Block['header']['hash'], spend: Spendable): Transaction {
  const rest = { address: spend.key.address, value: spend.coin.value - STEP };
  const body = transferBody({ genesis, spend: [spend], outputs: [rest, { address: testKey(2).address, value: STEP }] });
  const [owner] = distinctOwners([spend.coin]);
  if (owner !== spend.key.address) throw new Error('not the owner');
  return sealTransaction(body, [sign(sighash(genesis, txidOf(body), [spend.coin]), spend.key.secretKey)]);
}

function sign(digest: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const ecdsaSign: unknown = Reflect.get(native, 'ecdsaSign');
  if (typeof ecdsaSign !== 'function') throw new Error('the native library cannot sign here');
  const { signature, recid } = ecdsaSign.call(native, digest, secretKey) as { signature: Uint8Array; recid: number };
  const compact = new Uint8Array(SIGNATURE_BYTES);
  compact.set(signature);
  compact[SIGNATURE_BYTES - 1] = recid;
  return compact;
}
