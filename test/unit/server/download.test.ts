import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_WINDOW, type Want } from '../../../server/sync/bodyWindow.js';
import { type BodyRequest, DownloadPlan, MAX_WAITING_BYTES, STALL_MS } from '../../../server/sync/download.js';
import { Pace } from '../../../server/sync/pace.js';
import { type BlockHash, parseId } from '../../../shared/model/ids.js';
import { present } from '../../kit/assertOk.js';

function want(height: number): Want {
  return { height, hash: present(parseId<BlockHash>(height.toString(16).padStart(64, '0'))) };
}

function wants(from: number, to: number): Want[] {
  return Array.from({ length: to - from + 1 }, (_, i) => want(from + i));
}

const body = (bytes = 1_000): Uint8Array => new Uint8Array(bytes);

/** A plan for blocks 1 to `blocks`, and peers that have them all. */
function planFor(blocks: number, ...peers: readonly string[]): DownloadPlan<string> {
  const plan = new DownloadPlan<string>();
  plan.extend(wants(1, blocks));
  for (const peer of peers) plan.offer(peer, blocks);
  return plan;
}

function heightsOf(request: BodyRequest<string> | undefined): number[] {
  return request?.wants.map(({ height }) => height) ?? [];
}

describe('a plan', () => {
  test('asks a new peer for one block, and for more when it has shown how fast it is', () => {
    const plan = planFor(100, 'a');
    const [first] = plan.look(0).ask;
    expect(heightsOf(first)).toEqual([1]);
    expect(plan.look(0).ask).toEqual([]);
    plan.arrived(present(first), [body()], 1);
    const next = plan.look(1).ask;
    expect(next.map(heightsOf)).toEqual([
      [2, 3, 4, 5],
      [6, 7, 8, 9],
    ]);
  });

  test('asks a slow peer for little', () => {
    const plan = planFor(100, 'slow');
    const [first] = plan.look(0).ask;
    plan.arrived(present(first), [body(200_000)], 2_000);
    expect(plan.look(2_000).ask.map(heightsOf)).toEqual([[2], [3]]);
  });

  test('asks nobody for what lies beyond its branch, and gives up when nobody is left', () => {
    const plan = new DownloadPlan<string>();
    plan.extend(wants(1, 3));
    plan.offer('a', 1);
    const [first] = plan.look(0).ask;
    plan.arrived(present(first), [body()], 1);
    plan.done(present(plan.take()));
    expect(plan.look(1).ask).toEqual([]);
    expect(plan.isHopeless).toBe(true);
    plan.offer('a', 3);
    expect(plan.isHopeless).toBe(false);
  });

  test('has the block that all wait for asked of another, and names who kept them waiting, once', () => {
    const plan = planFor(3, 'staller', 'good');
    const [stuck, quick] = plan.look(0).ask;
    expect([stuck?.source, quick?.source]).toEqual(['staller', 'good']);
    plan.arrived(present(quick), [body()], 10);
    const [rest] = plan.look(10).ask;
    expect(heightsOf(rest)).toEqual([3]);
    plan.arrived(present(rest), [body()], 20);
    expect(plan.look(400)).toEqual({ ask: [], stalled: [] });
    const [again] = plan.look(500).ask;
    expect([again?.source, heightsOf(again)]).toEqual(['good', [1]]);
    expect(plan.look(10 + STALL_MS).stalled).toEqual(['staller']);
    expect(plan.look(10 + 2 * STALL_MS).stalled).not.toContain('staller');
  });

  test('blames nobody where nobody else could have helped, nor for the time this machine slept', () => {
    const alone = planFor(3, 'only');
    alone.look(0);
    for (let now = 0; now < 60_000; now += 200) expect(alone.look(now).stalled).toEqual([]);
    const asleep = planFor(3, 'a', 'b');
    asleep.look(0);
    expect(asleep.look(86_400_000)).toEqual({ ask: [], stalled: [] });
    expect(asleep.look(86_400_000 + STALL_MS - 1).stalled).toEqual([]);
  });

  test('throws away whatever else came from the sender of a bad body, and nothing of others', () => {
    const plan = planFor(4, 'liar', 'good');
    const [one, two] = plan.look(0).ask;
    plan.arrived(present(one), [body()], 1);
    plan.arrived(present(two), [body()], 1);
    const more = plan.look(1).ask;
    for (const request of more)
      plan.arrived(
        request,
        request.wants.map(() => body()),
        2,
      );
    const first = present(plan.take());
    expect(first).toMatchObject({ height: 1, source: 'liar' });
    plan.refused(first);
    plan.offer('liar', 4);
    const refetched = plan.look(3).ask;
    expect(refetched.map(({ source }) => source)).not.toContain('liar');
    expect(refetched.flatMap(heightsOf)).toContain(1);
    expect(refetched.flatMap(heightsOf)).not.toContain(2);
  });

  test('takes up a pace where an earlier download left it', () => {
    const pace = new Pace();
    pace.delivered({ bytes: 100_000, blocks: 50, ms: 10 });
    const plan = new DownloadPlan<string>();
    plan.extend(wants(1, 100));
    plan.offer('a', 100, pace);
    expect(heightsOf(plan.look(0).ask[0])).toHaveLength(10);
  });
});

/** How a modelled peer behaves. */
interface Behaviour {
  readonly kind: 'good' | 'silent' | 'liar' | 'leaves' | 'absent';
  readonly bytesPerMs: number;
  readonly latencyMs: number;
}

const behaviour = fc.record<Behaviour>({
  kind: fc.constantFrom('good', 'silent', 'liar', 'leaves', 'absent'),
  bytesPerMs: fc.integer({ min: 20, max: 20_000 }),
  latencyMs: fc.integer({ min: 1, max: 2_000 }),
});

const TIMEOUT_MS = 20_000;
const BLOCK_BYTES = 20_000;
/** What a liar's bodies have. */
const BAD = 7;

/** Runs a plan against peers of these behaviours to its end. */
function run(peers: readonly Behaviour[], blocks: number) {
  const plan = new DownloadPlan<number>();
  const all = wants(1, blocks);
  let extended = 0;
  const arrivals: { at: number; request: BodyRequest<number> }[] = [];
  const gone = new Set<number>();
  const blamed = new Set<number>();
  const accepted: number[] = [];
  let fetched = 0;
  for (const [peer] of peers.entries()) plan.offer(peer, blocks);
  let now = 0;
  for (; accepted.length < blocks && now < 3_600_000; now += 100) {
    for (const arrival of arrivals.filter(({ at }) => at <= now)) {
      arrivals.splice(arrivals.indexOf(arrival), 1);
      const { request } = arrival;
      const { kind } = present(peers[request.source]);
      if (kind === 'silent' || kind === 'absent') plan.failed(request, now);
      else if (kind === 'leaves' && accepted.length > blocks / 2) {
        gone.add(request.source);
        plan.failed(request, now);
        plan.gone(request.source);
      } else {
        const bodies = request.wants.map(() => new Uint8Array(BLOCK_BYTES).fill(kind === 'liar' ? BAD : 1));
        fetched += bodies.length;
        plan.arrived(request, bodies, now);
      }
    }
    while (plan.room > 0 && extended < blocks) {
      const next = all.slice(extended, extended + plan.room);
      plan.extend(next);
      extended += next.length;
    }
    for (let delivery = plan.take(); delivery !== undefined; delivery = plan.take()) {
      if (delivery.body[0] === BAD) {
        blamed.add(delivery.source);
        plan.refused(delivery);
        continue;
      }
      accepted.push(delivery.height);
      plan.done(delivery);
    }
    for (const request of plan.look(now).ask) {
      expect(gone.has(request.source) || blamed.has(request.source)).toBe(false);
      const { kind, latencyMs, bytesPerMs } = present(peers[request.source]);
      const ms = latencyMs + (request.wants.length * BLOCK_BYTES) / bytesPerMs;
      arrivals.push({ at: now + (kind === 'silent' ? TIMEOUT_MS : Math.min(ms, TIMEOUT_MS)), request });
    }
    expect(MAX_WINDOW - plan.room).toBeLessThanOrEqual(MAX_WINDOW);
    expect(plan.waitingBytes).toBeLessThanOrEqual(MAX_WAITING_BYTES);
    if (plan.isHopeless) break;
  }
  return { accepted, blamed, fetched, now };
}

describe('a download from peers that may stall, lie, be slow, leave or have nothing', () => {
  test('always ends while one good peer is there, takes each block once and in order, and blames liars alone', () => {
    fc.assert(
      fc.property(fc.array(behaviour, { maxLength: 6 }), fc.integer({ min: 1, max: 1_500 }), (others, blocks) => {
        const peers: Behaviour[] = [...others, { kind: 'good', bytesPerMs: 5_000, latencyMs: 20 }];
        const { accepted, blamed } = run(peers, blocks);
        expect(accepted).toEqual(Array.from({ length: blocks }, (_, i) => i + 1));
        for (const peer of blamed) expect(present(peers[peer]).kind).toBe('liar');
      }),
      { numRuns: 60 },
    );
  });

  test('takes little longer with peers that stall, lie and are slow than with a good one alone, and fetches little twice', () => {
    const good: Behaviour = { kind: 'good', bytesPerMs: 500, latencyMs: 20 };
    const bad: Behaviour[] = [
      { ...good, kind: 'silent' },
      { ...good, kind: 'liar' },
      { ...good, bytesPerMs: 20 },
    ];
    const alone = run([good], 1_000);
    const among = run([...bad, good], 1_000);
    expect(among.now).toBeLessThan(1.3 * alone.now);
    expect(alone.fetched).toBe(1_000);
  });

  test('gives up where nobody delivers', () => {
    const { accepted, now } = run([{ kind: 'silent', bytesPerMs: 1, latencyMs: 1 }], 10);
    expect(accepted).toEqual([]);
    expect(now).toBeLessThan(TIMEOUT_MS + 1_000);
  });
});
