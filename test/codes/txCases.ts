import { judge } from '../../server/mempool/judge.js';
import { Pool } from '../../server/mempool/pool.js';
import { toBase64 } from '../../shared/bytes/base64.js';
import { checkInputs, checkSignatures } from '../../shared/consensus/checkInputs.js';
import { checkTransfer } from '../../shared/consensus/checkTransaction.js';
import type { Coin } from '../../shared/consensus/coins.js';
import { genesisBlock } from '../../shared/consensus/genesis.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import type { TX_CODES } from '../../shared/consensus/reject.js';
import { nobleEngine, signDigest } from '../../shared/crypto/secp.js';
import { toAmount } from '../../shared/model/amount.js';
import { toHeight } from '../../shared/model/height.js';
import { parseId, type TxId } from '../../shared/model/ids.js';
import { sealTransaction, type Transaction, type TransferBody } from '../../shared/model/transaction.js';
import type { Reason } from '../../shared/reasons.js';
import { assertOk, assertRefused, present } from '../kit/assertOk.js';
import { coinbase, type Spendable, type TransferPlan, testKey, transfer, transferBody } from '../kit/builders.js';
import { failureFrom } from '../support/failureFrom.js';
import { testNode } from '../support/testNode.js';

const params = NETWORKS.dev;
const genesis = genesisBlock(params).header.hash;
const [alice, bob] = [testKey(1), testKey(2)];
const coin: Coin = { address: alice.address, value: toAmount(1000n), height: toHeight(1), coinbase: false };

function spendable(digit: string, of: Coin = coin, key = alice): Spendable {
  return { outpoint: { txid: present(parseId<TxId>(digit.repeat(64))), index: 0 }, coin: of, key };
}

const spend = [spendable('1')];
const outputs = [{ address: bob.address, value: 900n }];

/** The rules that need no coins. */
function judgeAlone(
  plan: Partial<TransferPlan>,
  change: Partial<TransferBody> = {},
  signatures?: Uint8Array[],
): Reason {
  const signed = transfer({ genesis, spend, outputs, ...plan });
  const sealed = sealTransaction({ ...signed.body, ...change }, signatures ?? signed.signatures);
  return assertRefused(checkTransfer(sealed, params, 10));
}

/** The rules that need coins. */
function judgeWithCoins(transaction: Transaction<TransferBody>, found: Coin | undefined, height = 10): Reason {
  return assertRefused(checkInputs(transaction, { get: () => found }, { params, genesis, height }));
}

function judgeSignatures(transaction: Transaction<TransferBody>): Reason {
  const inputs = assertOk(checkInputs(transaction, { get: () => coin }, { params, genesis, height: 10 }));
  return assertRefused(checkSignatures(nobleEngine, inputs.signatures()));
}

/** For each rule of transactions, something that breaks it and nothing before it. */
export const txCases: Record<keyof typeof TX_CODES, () => Reason | Promise<Reason>> = {
  'tx-malformed': async () => {
    await using node = await testNode();
    return await failureFrom(node.client.transaction.submit.mutate({ transaction: toBase64(Uint8Array.of(1, 2, 3)) }));
  },
  'tx-coinbase-loose': () =>
    assertRefused(
      judge(coinbase({ params, height: 1, address: alice.address }), {
        params,
        genesis,
        height: 1,
        coins: { get: () => undefined },
        pool: new Pool(),
        floor: 1,
        confirmedAt: () => undefined,
      }),
    ),
  'tx-version': () => judgeAlone({ version: 2 }),
  'tx-too-large': () => judgeAlone({}, { memo: new Uint8Array(100_000) }),
  'tx-no-inputs': () => judgeAlone({}, { inputs: [] }),
  'tx-no-outputs': () => judgeAlone({}, { outputs: [] }),
  'tx-memo-too-long': () => judgeAlone({ memo: new Uint8Array(81) }),
  'tx-duplicate-input': () => judgeAlone({ spend: [...spend, ...spend] }),
  'tx-value-zero': () => judgeAlone({ outputs: [...outputs, { address: bob.address, value: 0n }] }),
  'tx-value-range': () =>
    judgeAlone({ outputs: [params.maxSupply, 1n].map((value) => ({ address: bob.address, value })) }),
  'tx-signature-count': () => judgeAlone({}, {}, []),
  'tx-input-missing': () => judgeWithCoins(transfer({ genesis, spend, outputs }), undefined),
  'tx-immature': () => judgeWithCoins(transfer({ genesis, spend, outputs }), { ...coin, coinbase: true }, 2),
  'tx-overspend': () =>
    judgeWithCoins(transfer({ genesis, spend, outputs: [{ address: bob.address, value: 1001n }] }), coin),
  'tx-signature-invalid': () =>
    judgeSignatures(sealTransaction(transferBody({ genesis, spend, outputs }), [new Uint8Array(65)])),
  'tx-signature-owner': () => {
    const signed = transfer({ genesis, spend, outputs });
    const inputs = assertOk(checkInputs(signed, { get: () => coin }, { params, genesis, height: 10 }));
    return judgeSignatures(sealTransaction(signed.body, [signDigest(inputs.signatures().digest, bob.secretKey)]));
  },
};
