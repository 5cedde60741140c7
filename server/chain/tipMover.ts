import { type Connection, connectBlock } from '../../shared/consensus/connectBlock.js';
import type { BlockReject } from '../../shared/consensus/reject.js';
import type { Emitter } from '../../shared/emitter.js';
import type { Block } from '../../shared/model/block.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { Signatures } from '../ports.js';
import { corrupt } from '../store/chainStore.js';
import type { Write } from '../store/kv.js';
import type { HeaderRecord } from '../store/layout.js';
import { connectWrites, disconnectWrites } from './blockWrites.js';
import type { ChainEvents } from './events.js';
import type { TipState } from './tipState.js';
import type { VerifiedSet } from './verifiedSet.js';

/** What moving the tip needs. */
export interface MoverParts {
  readonly state: TipState;
  readonly events: Emitter<ChainEvents>;
  readonly signatures: Signatures;
  readonly verified: VerifiedSet;
}

/** Moves the tip by one block, up or down: rules, then one commit, then the event. */
export class TipMover {
  readonly #parts: MoverParts;

  constructor(parts: MoverParts) {
    this.#parts = parts;
  }

  /**
   * Connects a block to the tip, in one commit with what has to be written before it. `before` is called right before the
   * commit: from then on others see the record, and until the signatures are checked they must not.
   */
  async connect(
    block: Block,
    record: HeaderRecord,
    before: () => readonly Write[],
  ): Promise<Verdict<void, BlockReject>> {
    const { state, events } = this.#parts;
    const { store, params, genesis } = state;
    const connection = connectBlock(block, store, { params, genesis: genesis.header.hash });
    if (!connection.ok) return connection;
    const signatures = await this.#checkSignatures(block, connection.value);
    if (!signatures.ok) return signatures;
    const { spent, fees, delta } = connection.value;
    const { writes, totals } = connectWrites({ store, block, spent, delta, totals: state.totals });
    const connected = { ...record, fees };
    await state.commit([...before(), ...writes, state.headers.update(connected)], { tip: connected, totals });
    events.emit('connected', { block, record: connected, spent });
    return accept(undefined);
  }

  /** Takes the tip off. Its block and its undo record stay, so that it can come back. */
  async disconnect(): Promise<void> {
    const { state, events } = this.#parts;
    const { store, headers, tip: record } = state;
    const { hash, previous } = record.header;
    const block = store.block(hash);
    const spent = store.undo(hash);
    if (spent === undefined) throw corrupt(`undo of block ${hash} is missing`);
    const { writes, totals } = disconnectWrites({ store, block, spent, totals: state.totals });
    await state.commit(writes, { tip: headers.require(previous), totals });
    events.emit('disconnected', { block, record, spent });
  }

  /** Checks the signatures of a block that have not passed before. */
  async #checkSignatures(block: Block, { checks }: Connection): Promise<Verdict<void, BlockReject>> {
    const { signatures, verified } = this.#parts;
    const pending = checks.flatMap(({ position, check }) => {
      const wtxid = block.transactions[position]?.wtxid;
      return wtxid === undefined || verified.has(wtxid) ? [] : [{ position, wtxid, check }];
    });
    const verdicts = await signatures.check(pending.map(({ check }) => check()));
    for (const [i, { position, wtxid }] of pending.entries()) {
      const verdict = verdicts[i];
      if (verdict === undefined) throw new Error('signature checks came back short');
      if (!verdict.ok) return refuse({ code: 'block-tx', position, reject: verdict.reject });
      verified.add(wtxid);
    }
    return accept(undefined);
  }
}
