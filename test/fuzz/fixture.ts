import { toBase64 } from '../../shared/bytes/base64.js';
import { type NetworkFile, parseNetwork } from '../../shared/consensus/params.js';
import { formatAddress } from '../../shared/model/address.js';
import type { Block } from '../../shared/model/block.js';
import { encodeHeader } from '../../shared/model/header.js';
import { sealTransaction, type Transaction, type TransferBody } from '../../shared/model/transaction.js';
import { type Spendable, testKey, transfer } from '../kit/builders.js';
import { TestChain } from '../kit/testChain.js';

/**
 * As `dev`, but with work to do for each block: about one header in 16,000 passes. On `dev` every second changed nonce
 * would be a valid block, and the state would rightly change.
 */
export const NETWORK: NetworkFile = {
  name: 'fuzz',
  blockIntervalSeconds: 1,
  retarget: 'none',
  halfLifeIntervals: 288,
  genesisBits: 0x1f03ffff,
  reward: '1.5',
  halvingInterval: 0,
  coinbaseMaturity: 2,
  maxSupply: '90000000',
  minimumWork: '0',
  upgrades: [],
  nodePort: 42_321,
};

/** The same for whoever needs the bytes alone, at once. */
export const WITHOUT_WORK: NetworkFile = { ...NETWORK, genesisBits: 0x207fffff };

/** What a node under test is fed, and what callers can know of it. */
export interface Fixture {
  readonly genesis: Block;
  /** The active chain above genesis. */
  readonly blocks: readonly Block[];
  readonly waiting: readonly Transaction[];
  /** Blocks with all the work they need that break a rule. */
  readonly broken: readonly Block[];
  /** Valid, and never sent: only changed forms of them are. */
  readonly unsent: { readonly transactions: readonly Transaction[]; readonly block: Block };
}

const FEE = 1_000n;

/** Blocks, transfers, waiting transactions with a family among them, and what is one change away from being valid. */
export function makeFixture(network = NETWORK): Fixture {
  const chain = new TestChain(parseNetwork(network));
  const genesis = chain.genesis.header.hash;
  const [one, two, three] = [testKey(1), testKey(2), testKey(3)];
  const spend = (from: Spendable, to = two): Transaction<TransferBody> => {
    const half = from.coin.value / 2n;
    const outputs = [
      { address: to.address, value: half },
      { address: one.address, value: from.coin.value - half - FEE },
    ];
    return transfer({ genesis, spend: [from], outputs, memo: Uint8Array.of(1, 2, 3) });
  };
  const coinOf = ({ txid, body: { outputs } }: Transaction, index: number, key = two): Spendable => {
    const output = outputs[index];
    if (output === undefined) throw new Error(`no output ${index}`);
    return { outpoint: { txid, index }, coin: output, key };
  };
  const grown = chain.grow(chain.genesis, 5);
  const [a, b, c, d] = grown.map((block) => spend(chain.coinOf(block)));
  const last = grown.at(-1);
  if (!a || !b || !c || !d || !last) throw new Error('a chain too short');
  const tip = chain.extend(last, { transactions: [a, b], fees: 2n * FEE });
  const waiting = [c, spend(coinOf(c, 0), three), spend(coinOf(a, 0), three)];
  const fresh = [spend(coinOf(b, 0)), d];
  const forged = sealTransaction(
    d.body,
    d.signatures.map((signature) => signature.with(9, (signature[9] ?? 0) ^ 1)),
  );
  return {
    genesis: chain.genesis,
    blocks: [...grown, tip],
    waiting,
    broken: [
      chain.extend(tip, { fees: 1n }),
      chain.extend(tip, { transactions: [forged], fees: FEE }),
      chain.extend(tip, { transactions: [a] }),
      chain.extend(tip, { transactions: [d, d] }),
    ],
    unsent: { transactions: fresh, block: chain.extend(tip, { transactions: [d], fees: FEE }) },
  };
}

/** What the fields of the contract can be filled with so that a node with this fixture understands it. */
export function valuesOf(fixture: Fixture, own: { readonly url: string; readonly templates: readonly string[] }) {
  const { blocks, waiting, broken, unsent, genesis } = fixture;
  const confirmed = blocks.flatMap(({ transactions }) => transactions);
  const known = [...waiting, ...confirmed];
  const hashes = [genesis, ...blocks].map(({ header }) => header.hash);
  const places = [0, 1, 5, blocks.length, 'last', ...hashes];
  const addresses = [1, 2, 3, 4].map((number) => testKey(number).address);
  const bodies = [...blocks, ...broken, unsent.block];
  const ids = known.map(({ txid }) => txid);
  const cursors = ['0', '1', 'pending:0', 'ab', ...ids.slice(0, 2)];
  const session = '00'.repeat(16);
  return {
    block: [...bodies.map(({ raw }) => toBase64(raw)), ...places],
    from: places,
    locator: hashes,
    hash: hashes,
    genesis: [genesis.header.hash],
    header: bodies.map(({ header }) => toBase64(encodeHeader(header))),
    transaction: [...[...known, ...unsent.transactions].map(({ raw }) => toBase64(raw)), 0, 1, ...ids],
    txid: ids,
    wtxid: known.map(({ wtxid }) => wtxid),
    address: [...addresses, ...addresses.map(formatAddress)],
    cursor: cursors,
    limit: [1, 2, 50, 100],
    count: [1, 2],
    waitMs: [0, 5, 20],
    protocol: [1],
    work: [0n, 1n, 2n ** 40n],
    url: [own.url],
    nonce: [session, 0n, 1n, 2n ** 63n],
    template: own.templates,
    current: own.templates,
    text: ['trestle/0', ''],
    number: [0, 1, 2, 3, 1_700_000_000_000],
    truth: [true, false],
  };
}

/** In base64: what a request must not contain whole. */
export function unsentWords({ unsent: { transactions, block } }: Fixture): string[] {
  return [...transactions, block].map(({ raw }) => toBase64(raw));
}
