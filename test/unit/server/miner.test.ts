import { describe, expect, test } from 'vitest';
import { Miner } from '../../../server/miner/miner.js';
import { NodeWatch } from '../../../server/miner/nodeWatch.js';
import type { Puzzle, SearchResult } from '../../../server/miner/solver.js';
import { parseAddress } from '../../../shared/model/address.js';
import { decodeHeader, type Header } from '../../../shared/model/header.js';
import { present } from '../../kit/assertOk.js';
import { failureFrom } from '../../support/failureFrom.js';
import { type ManualClock, manualClock } from '../../support/manualClock.js';
import { recordingLog } from '../../support/recordingLog.js';
import { ScriptedNode } from '../../support/scriptedNode.js';

const ADDRESS = present(parseAddress('0x9858EfFD232B4033E47d90003D41EC34EcaEda94'));

/** Threads that find what a test tells them to, when it tells them to. */
class ScriptedSolver {
  readonly threads = 1;
  readonly replaced = 0;
  tries = 0n;
  /** Every search so far. */
  readonly searched: Header[] = [];
  #settle: ((result: SearchResult) => void) | undefined;

  get isSearching(): boolean {
    return this.#settle !== undefined;
  }

  solve({ header }: Puzzle): Promise<SearchResult> {
    this.callOff();
    const decoded = decodeHeader(header);
    this.searched.push(present(decoded.ok ? decoded.value : undefined));
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  callOff(): void {
    this.end({ kind: 'called-off' });
  }

  end(result: SearchResult): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(result);
  }

  find(nonce = 7n): void {
    if (!this.isSearching) throw new Error('nothing is searched');
    this.end({ kind: 'found', nonce });
  }
}

interface Rig extends AsyncDisposable {
  readonly miner: Miner;
  readonly watch: NodeWatch;
  readonly solver: ScriptedSolver;
  readonly clock: ManualClock;
  readonly log: ReturnType<typeof recordingLog>;
  /** Messages of the log, with why where that is said. */
  said(level?: string): string[];
}

async function mining(nodes: readonly ScriptedNode[], intervalMs?: number): Promise<Rig> {
  const clock = manualClock();
  const log = recordingLog();
  const solver = new ScriptedSolver();
  const stop = new AbortController();
  const base = { clock, log, signal: stop.signal };
  const watch = new NodeWatch({ ...base, nodes });
  await watch.start();
  const miner = new Miner({ ...base, watch, solver, address: ADDRESS, intervalMs });
  miner.start();
  await clock.advance(0);
  return {
    ...{ miner, watch, solver, clock, log },
    said: (level) => log.lines.filter((line) => (level ?? line.level) === line.level).map(({ message }) => message),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      const closed = Promise.all([miner.close(), watch.close()]);
      await clock.advance(0);
      await closed;
    },
  };
}

const last = ({ solver }: Rig): Header => present(solver.searched.at(-1));

describe('work', () => {
  test('begins at once, and is abandoned for that on a new tip as soon as there is one', async () => {
    const node = new ScriptedNode();
    await using rig = await mining([node]);
    expect([last(rig).previous, node.polls]).toEqual([node.tip.hash, 1]);
    node.moveTip();
    await rig.clock.advance(0);
    expect([rig.solver.searched.length, last(rig).previous, node.polls]).toEqual([2, node.tip.hash, 1]);
    expect(rig.miner.view()).toMatchObject({ height: 2, tipChanges: 1, isSearching: true, node: node.url });
  });

  test('a node that answers long polls at once on the same tip is not asked without end', async () => {
    const node = new ScriptedNode();
    await using rig = await mining([node]);
    for (let i = 0; i < 1_000; i++) {
      node.answerPolls();
      await rig.clock.advance(10);
    }
    expect(node.calls.get('block.template')).toBeLessThan(60);
    node.moveTip();
    await rig.clock.advance(200);
    expect(last(rig).previous).toBe(node.tip.hash);
  });

  test('has the time of the node, and what has gone by since', async () => {
    const node = new ScriptedNode();
    await using rig = await mining([node]);
    await rig.clock.advance(3_000);
    expect(last(rig).timestamp).toBe(1_000_000);
    rig.solver.end({ kind: 'exhausted' });
    await rig.clock.advance(1);
    expect([rig.solver.searched.length, last(rig).timestamp]).toEqual([2, 1_003_001]);
    rig.solver.find(5n);
    await rig.clock.advance(0);
    expect(node.submissions).toMatchObject([{ timestamp: 1_003_001, nonce: 5n }]);
  });

  test('goes on for a while when the node falls silent, and is given up then', async () => {
    const node = new ScriptedNode();
    await using rig = await mining([node]);
    node.die();
    await rig.clock.advance(14_000);
    expect(rig.solver.isSearching).toBe(true);
    await rig.clock.advance(2_000);
    expect(rig.solver.isSearching).toBe(false);
    expect(rig.said('warn')).toContain('work given up: no node has said for a while that it is the latest');
  });

  test.each([
    ['another shape', { height: 'one' }],
    ['a header that is none', { header: '00' }],
    ['another target than its header', { target: 'ff'.repeat(32) }],
    ['another place than its header', { height: 99 }],
  ])('a template of %s is nobody’s work', async (_what, change) => {
    const node = new ScriptedNode();
    node.bend = (template) => ({ ...template, ...change });
    await using rig = await mining([node]);
    expect(rig.solver.searched).toEqual([]);
    expect(rig.watch.outlooks()).toMatchObject([{ state: 'away', why: 'peer-protocol' }]);
    node.bend = (template) => template;
    await rig.clock.advance(500);
    expect(rig.solver.searched).toHaveLength(1);
  });
});

describe('a block that is found', () => {
  test('is handed in, counted, and followed by work on top of it', async () => {
    const node = new ScriptedNode();
    await using rig = await mining([node]);
    rig.solver.find(42n);
    await rig.clock.advance(0);
    expect(node.submissions).toMatchObject([{ timestamp: 1_000_000, nonce: 42n }]);
    expect(last(rig).previous).toBe(node.tip.hash);
    expect(rig.miner.view()).toMatchObject({ found: 1, accepted: 1, side: 0, refused: 0, lost: 0, earned: 100n });
  });

  test('and came too late is told so, and new work is asked for at once', async () => {
    const node = new ScriptedNode();
    node.submit = () => 'side';
    await using rig = await mining([node]);
    rig.solver.find();
    await rig.clock.advance(0);
    expect(rig.miner.view()).toMatchObject({ found: 1, accepted: 0, side: 1, earned: 0n, isSearching: true });
    expect(rig.said('warn')).toEqual(['block came too late: another one has its place']);
  });

  test('and whose template is forgotten is lost, told so, and new work is asked for at once', async () => {
    const node = new ScriptedNode();
    node.submit = () => ({ code: 'not-found', detail: 'template' });
    await using rig = await mining([node]);
    rig.solver.find();
    await rig.clock.advance(0);
    expect(rig.miner.view()).toMatchObject({ found: 1, lost: 1, isSearching: true });
    expect(rig.log.lines.find(({ message }) => message === 'block lost')?.fields['why']).toMatch(/forgotten/);
  });

  test('is offered again until the node takes it, and one that it knows by then was accepted', async () => {
    const node = new ScriptedNode();
    const answers = [{ code: 'timeout', limitMs: 5_000 }, { code: 'busy', detail: '' }, 'known'] as const;
    node.submit = () => answers[node.submissions.length - 1] ?? 'side';
    await using rig = await mining([node]);
    rig.solver.find();
    await rig.clock.advance(5_000);
    expect(node.submissions).toHaveLength(3);
    expect(rig.miner.view()).toMatchObject({ found: 1, accepted: 1, earned: 100n });
  });

  test('is offered to a node that is away until a minute is over, and does not keep others from being found', async () => {
    const [a, b] = [new ScriptedNode('http://a'), new ScriptedNode('http://b')];
    await using rig = await mining([a, b]);
    a.die();
    rig.solver.find();
    await rig.clock.advance(10_000);
    expect(rig.miner.view()).toMatchObject({ found: 1, accepted: 0, lost: 0, node: 'http://b' });
    rig.solver.find();
    await rig.clock.advance(0);
    expect(rig.miner.view()).toMatchObject({ found: 2, accepted: 1, lost: 0 });
    await rig.clock.advance(60_000);
    expect(rig.miner.view()).toMatchObject({ found: 2, accepted: 1, lost: 1 });
  });

  test('and refused by a rule is told with its code, and the node is left alone for a moment', async () => {
    const node = new ScriptedNode();
    node.submit = () => ({ code: 'block-root', computed: '', claimed: '' });
    await using rig = await mining([node]);
    for (let i = 0; i < 20; i++) {
      if (rig.solver.isSearching) rig.solver.find();
      await rig.clock.advance(100);
    }
    expect(rig.miner.view().refused).toBeGreaterThan(1);
    expect(node.submissions.length).toBeLessThan(6);
    expect(rig.log.lines.find(({ message }) => message === 'block refused')?.fields).toMatchObject({
      why: 'block-root',
    });
  });
});

describe('nodes', () => {
  test('another one takes over when the first fails, and gives back when that is well for a while', async () => {
    const [a, b] = [new ScriptedNode('http://a'), new ScriptedNode('http://b')];
    await using rig = await mining([a, b]);
    a.die();
    await rig.clock.advance(0);
    expect([rig.miner.view().node, b.polls]).toEqual(['http://b', 1]);
    a.revive();
    await rig.clock.advance(10_000);
    expect(rig.miner.view().node).toBe('http://b');
    await rig.clock.advance(30_000);
    expect([rig.miner.view().node, a.polls, b.polls]).toEqual(['http://a', 1, 0]);
    expect(rig.miner.view().nodeChanges).toBe(2);
  });

  test('one that falls behind the others is left', async () => {
    const [a, b] = [new ScriptedNode('http://a'), new ScriptedNode('http://b')];
    await using rig = await mining([a, b]);
    b.moveTip(3);
    await rig.clock.advance(5_000);
    expect([rig.miner.view().node, last(rig).previous]).toEqual(['http://b', b.tip.hash]);
  });

  test('one that is away is waited for, however long, and said to be away once', async () => {
    const node = new ScriptedNode();
    node.die();
    await using rig = await mining([node]);
    await rig.clock.advance(3_600_000);
    expect(rig.said()).toEqual(['a node cannot be mined at']);
    expect(rig.log.lines[0]?.fields).toMatchObject({ why: expect.stringContaining('ECONNREFUSED') });
    node.revive();
    await rig.clock.advance(500);
    expect([rig.solver.isSearching, rig.said('info')]).toEqual([true, ['a node can be mined at again', 'mining at']]);
  });

  test('one that was asked too much is asked again when it said, and not left', async () => {
    const node = new ScriptedNode();
    await using rig = await mining([node]);
    node.templateFailure = { code: 'peer-quota', retryMs: 700 };
    node.answerPolls();
    await rig.clock.advance(699);
    const before = node.calls.get('block.template');
    node.templateFailure = undefined;
    await rig.clock.advance(301);
    expect(node.calls.get('block.template')).toBeGreaterThan(present(before));
    expect([rig.miner.view().nodeChanges, node.polls]).toEqual([0, 1]);
  });

  test('where none can ever be mined at, the start fails with a reason', async () => {
    const node = new ScriptedNode();
    node.failure = { code: 'not-found', detail: 'procedure' };
    expect(await failureFrom(mining([node]))).toMatchObject({ code: 'peer-protocol', url: node.url });
  });

  test('where that shows later, it is told', async () => {
    const node = new ScriptedNode();
    node.die();
    await using rig = await mining([node]);
    const told: string[] = [];
    rig.watch.events.on('hopeless', ({ code }) => told.push(code));
    node.die({ code: 'not-found', detail: 'procedure' });
    await rig.clock.advance(2_000);
    expect(told).toEqual(['peer-protocol']);
  });
});

describe('a paced miner', () => {
  test('makes one block in each interval, each on the tip of its moment', async () => {
    const node = new ScriptedNode();
    await using rig = await mining([node], 1_000);
    for (let second = 1; second <= 5; second++) {
      await rig.clock.advance(999);
      expect([rig.solver.isSearching, rig.solver.searched.length]).toEqual([false, second - 1]);
      node.moveTip();
      await rig.clock.advance(1);
      expect(last(rig).previous).toBe(node.tip.hash);
      rig.solver.find();
      await rig.clock.advance(0);
      expect(rig.miner.view().accepted).toBe(second);
    }
  });

  test('whose node dies before it takes a block goes on at another one at once, and offers that block meanwhile', async () => {
    const [a, b] = [new ScriptedNode('http://a'), new ScriptedNode('http://b')];
    await using rig = await mining([a, b], 1_000);
    await rig.clock.advance(1_000);
    a.die();
    rig.solver.find();
    await rig.clock.advance(1_000);
    expect([rig.miner.view().node, rig.solver.isSearching]).toEqual(['http://b', true]);
    rig.solver.find();
    await rig.clock.advance(0);
    expect(rig.miner.view()).toMatchObject({ found: 2, accepted: 1, lost: 0 });
    a.revive();
    await rig.clock.advance(500);
    expect(rig.miner.view()).toMatchObject({ found: 2, accepted: 2, lost: 0 });
  });

  test('does not wait for ever to hand a block to a node that is back without it', async () => {
    const node = new ScriptedNode();
    await using rig = await mining([node], 1_000);
    await rig.clock.advance(1_000);
    node.submit = () => ({ code: 'busy', detail: '' });
    rig.solver.find();
    await rig.clock.advance(70_000);
    expect(rig.miner.view()).toMatchObject({ found: 1, lost: 1, isSearching: true });
  });

  test('that was held up goes on at its pace, and makes nothing up', async () => {
    const node = new ScriptedNode();
    await using rig = await mining([node], 1_000);
    node.die();
    await rig.clock.advance(60_000);
    node.revive();
    let found = 0;
    for (let ms = 0; ms < 5_000; ms += 100) {
      await rig.clock.advance(100);
      if (!rig.solver.isSearching) continue;
      rig.solver.find();
      found += 1;
    }
    expect(found).toBeGreaterThanOrEqual(4);
    expect(found).toBeLessThanOrEqual(6);
  });
});
