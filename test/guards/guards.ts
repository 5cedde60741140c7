/** A change to a source file: the text, which must stand there once, and what takes its place. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Something that keeps a node honest, and how it is taken away. */
export interface Guard {
  readonly name: string;
  /** What it keeps from happening. */
  readonly keeps: string;
  readonly edits: readonly Edit[];
}

/** Guards without which some seed of the simulation has to fail. */
export const GUARDS: readonly Guard[] = [
  {
    name: 'double spend',
    keeps: 'two transactions of a block from spending one coin',
    edits: [
      {
        file: 'shared/consensus/checkBlock.ts',
        find: "if (spent.has(outpoint)) return refuse({ code: 'block-double-spend', position, outpoint });",
        replace: '',
      },
    ],
  },
  {
    name: 'duplicate input',
    keeps: 'a transaction from spending one coin twice (CVE-2018-17144)',
    edits: [
      {
        file: 'shared/consensus/checkTransaction.ts',
        find: 'const duplicate = firstDuplicate(body.inputs);',
        replace: 'const duplicate = firstDuplicate([]);',
      },
    ],
  },
  {
    name: 'value sum',
    keeps: 'a transaction from paying more than it spends',
    edits: [
      {
        file: 'shared/consensus/checkInputs.ts',
        find: "if (outputs > inputs) return refuse({ code: 'tx-overspend', inputs, outputs });",
        replace: '',
      },
      {
        file: 'shared/consensus/checkInputs.ts',
        find: 'fee: toAmount(inputs - outputs)',
        replace: 'fee: toAmount(inputs > outputs ? inputs - outputs : 0n)',
      },
    ],
  },
  {
    name: 'coinbase value',
    keeps: 'a miner from paying itself more than reward and fees',
    edits: [
      {
        file: 'shared/consensus/connectBlock.ts',
        find: "if (claimed > allowed) return refuse({ code: 'block-coinbase-value', claimed, allowed });",
        replace: '',
      },
    ],
  },
  {
    name: 'maturity',
    keeps: 'a coinbase from being spent before it is ripe',
    edits: [
      {
        file: 'shared/consensus/checkInputs.ts',
        find: 'if (coin.coinbase && height - coin.height < params.coinbaseMaturity) {',
        replace: 'if (coin.coinbase && height - coin.height < 0) {',
      },
    ],
  },
  {
    name: 'signatures',
    keeps: 'a coin from being spent by somebody else',
    edits: [
      {
        file: 'server/chain/tipMover.ts',
        find: "if (!verdict.ok) return refuse({ code: 'block-tx', position, reject: verdict.reject });",
        replace: '',
      },
    ],
  },
  {
    name: 'verified by wtxid',
    keeps: 'junk signatures from passing because the same payment was seen with good ones',
    edits: [
      {
        file: 'server/mempool/mempool.ts',
        find: 'this.#parts.verified.add(transaction.wtxid);',
        replace: 'this.#parts.verified.add(transaction.txid as never);',
      },
      {
        file: 'server/chain/tipMover.ts',
        find: 'verified.has(wtxid) ? [] :',
        replace: 'verified.has(block.transactions[position]?.txid as never) ? [] :',
      },
    ],
  },
  {
    name: 'header time, past',
    keeps: 'timestamps from going back',
    edits: [
      {
        file: 'shared/consensus/checkHeader.ts',
        find: "if (timestamp <= median) return refuse({ code: 'header-time-old', timestamp, median });",
        replace: '',
      },
    ],
  },
  {
    name: 'header time, future',
    keeps: 'blocks from counting before their time',
    edits: [
      {
        file: 'shared/consensus/checkHeader.ts',
        find: "if (timestamp > latest) return refuse({ code: 'header-time-future', timestamp, latest });",
        replace: '',
      },
    ],
  },
  {
    name: 'difficulty',
    keeps: 'a miner from choosing its own difficulty',
    edits: [
      {
        file: 'shared/consensus/checkHeader.ts',
        find: "if (bits !== expected) return refuse({ code: 'header-bits', bits, expected });",
        replace: '',
      },
    ],
  },
  {
    name: 'work',
    keeps: 'blocks without work off the chain',
    edits: [
      {
        file: 'shared/consensus/checkHeader.ts',
        find: "if (hashAsNumber(hash) > target) return refuse({ code: 'header-work', hash, target });",
        replace: '',
      },
    ],
  },
  {
    name: 'Merkle root',
    keeps: 'a body of other transactions from passing for the header’s own',
    edits: [
      {
        file: 'shared/consensus/checkBlock.ts',
        find: 'if (!equalBytes(computed, header.merkleRoot))',
        replace: 'if (!equalBytes(computed, computed))',
      },
    ],
  },
  {
    name: 'blame of a body',
    keeps: 'a wrong body from marking an honest header invalid (CVE-2012-2459)',
    edits: [
      {
        file: 'server/chain/chainstate.ts',
        find: '    if (!body.ok) return body;',
        replace: "    if (!body.ok) { await this.#marks.mark(checked.value, 'invalid'); return body; }",
      },
    ],
  },
  {
    name: 'work comparison',
    keeps: 'a rival of no more work from taking over',
    edits: [
      {
        file: 'server/chain/chainstate.ts',
        find: "if (record.work <= this.tip.work) return accept({ record, status: 'side' });",
        replace: "if (record.work < this.tip.work) return accept({ record, status: 'side' });",
      },
    ],
  },
  {
    name: 'fork restore',
    keeps: 'a node from staying on the stump of a branch that proved invalid',
    edits: [
      {
        file: 'server/chain/branchSwitch.ts',
        find: '        goal = this.#betterThan(original);\n      }',
        replace: '        break;\n      }',
      },
    ],
  },
  {
    name: 'undo order',
    keeps: 'coins from coming back as one another',
    edits: [
      {
        file: 'server/chain/tipMover.ts',
        find: '    const { writes, totals } = disconnectWrites({ store, block, spent, totals: state.totals });',
        replace:
          '    const { writes, totals } = disconnectWrites({ store, block, spent: spent.toReversed(), totals: state.totals });',
      },
    ],
  },
  {
    name: 'durable first',
    keeps: 'a block from counting before it is on the disk',
    edits: [
      {
        file: 'server/chain/tipState.ts',
        find: `    await this.store.kv.commit(moved === undefined ? writes : [...writes, put(layout.meta, null, meta)]);
    this.#meta = meta;
    if (moved !== undefined) this.#tip = moved.tip;`,
        replace: `    this.#meta = meta;
    if (moved !== undefined) this.#tip = moved.tip;
    await this.store.kv.commit(moved === undefined ? writes : [...writes, put(layout.meta, null, meta)]);`,
      },
    ],
  },
  {
    name: 'payments of lost blocks',
    keeps: 'a payment from being forgotten when its block leaves the chain',
    edits: [
      {
        file: 'server/mempool/mempool.ts',
        find: 'this.#returning.begin(lost.transfers.map(',
        replace: 'this.#returning.begin(lost.transfers.slice(0, 0).map(',
      },
    ],
  },
  {
    name: 'saved before it is answered for',
    keeps: 'a payment that a node has answered for from being lost with its process',
    edits: [
      {
        file: 'server/mempool/mempool.ts',
        find: 'await this.#saved.write([...added.map(saved), ...gone.map(({ entry }) => unsaved(entry))]);',
        replace: 'await Promise.resolve();',
      },
    ],
  },
  {
    name: 'conflicts in the pool',
    keeps: 'two payments of one coin from waiting side by side',
    edits: [
      {
        file: 'server/mempool/judge.ts',
        find: 'conflictsOf(transaction, pool), pool);',
        replace: '[], pool);',
      },
    ],
  },
  {
    name: 'conflicts with a block',
    keeps: 'a payment from waiting on for a coin that a block has spent',
    edits: [
      {
        file: 'server/mempool/mempool.ts',
        find: 'const lost = this.pool.removeWithDescendants(losers);',
        replace: 'const lost = this.pool.removeWithDescendants(losers.slice(0, 0));',
      },
    ],
  },
];
