import { describe, expect, test } from 'vitest';
import { createClient } from '../../../client/createClient.js';
import type { NetworkNode } from '../../kit/network.js';
import { isAgreed, type SettleParts, settle } from '../../kit/processes/settle.js';
import { type FakeAnswers, fakeNode } from '../../support/fakeNode.js';

const [X, Y] = ['ab'.repeat(32), 'cd'.repeat(32)];

/** Nodes that differ are waited for, whatever they do. */
const PATIENT = { quietMs: 10_000, limitMs: 10_000 };

/** What a fake node has; each may be a function that says something else each time. */
interface Has {
  readonly tip: string | (() => string);
  readonly waiting?: readonly string[] | (() => readonly string[]);
  readonly height?: number;
}

const now = <T>(value: T | (() => T)): T => (value instanceof Function ? value() : value);

function answersOf({ tip, waiting = [], height = 3 }: Has): FakeAnswers {
  return {
    'info.chain': () => ({ height, tip: now(tip) }),
    'info.mempool': () => ({ count: now(waiting).length }),
    // Pages of one id each.
    'transaction.ids': ({ cursor }: { cursor?: string }) => {
      const ids = now(waiting);
      const at = cursor === undefined ? 0 : ids.indexOf(cursor) + 1;
      return { items: ids.slice(at, at + 1), next: at + 1 < ids.length ? ids[at] : null };
    },
  };
}

/** Waits for nodes that have this to settle, in one circle, with limits fit for a test. */
async function settling(has: readonly Has[], parts: Partial<SettleParts> = {}): Promise<number> {
  const fakes = await Promise.all(has.map((each) => fakeNode({ answers: answersOf(each) })));
  const nodes = fakes.map(({ url }, index): NetworkNode => {
    return { index, name: `n${index}`, url, client: createClient({ url }), isRunning: true };
  });
  const start = performance.now();
  try {
    await settle({
      ...{ nodes, circles: () => [nodes.map(({ index }) => index)], quietMs: 400, limitMs: 1_000, check: () => {} },
      signal: new AbortController().signal,
      ...parts,
    });
    return performance.now() - start;
  } finally {
    for (const fake of fakes) await fake[Symbol.asyncDispose]();
  }
}

describe('a network has settled', () => {
  test('when all have one tip and the same transactions wait', async () => {
    // Were it the quiet that is waited for, this would not end.
    await settling(
      [
        { tip: X, waiting: [X, Y] },
        { tip: X, waiting: [X, Y] },
      ],
      { ...PATIENT, quietMs: 3_600_000 },
    );
  });

  test('not before: a node that is behind is waited for', async () => {
    let looks = 0;
    await settling([{ tip: X }, { tip: () => (++looks > 3 ? X : Y) }], PATIENT);
    expect(looks).toBeGreaterThan(4);
  });

  test('not while what waits is still on its way, seen on whichever page', async () => {
    let looks = 0;
    await settling(
      [
        { tip: X, waiting: [X, Y] },
        { tip: X, waiting: () => (++looks > 8 ? [X, Y] : [X]) },
      ],
      PATIENT,
    );
    expect(looks).toBeGreaterThan(8);
  });

  test('when mempools that differ stay as they are for long enough', async () => {
    expect(await settling([{ tip: X, waiting: [Y] }, { tip: X }])).toBeGreaterThanOrEqual(400);
  });

  test('circle by circle', async () => {
    await settling([{ tip: X }, { tip: Y }, { tip: X }], { circles: () => [[0, 2], [1]] });
    await settling([{ tip: X }, { tip: Y }], { circles: () => [] });
  });
});

describe('a network that does not settle', () => {
  test('fails with what each node has, and with what would help where branches have equal work', async () => {
    const failure = settling([{ tip: X }, { tip: Y }, { tip: X, waiting: [X] }], { circles: () => [[0, 1], [2]] });
    await expect(failure).rejects.toThrowErrorMatchingInlineSnapshot(`
      [Error: Nodes that hear each other should agree on the tip within 1 s, and have no more to tell. Branches of equal work stand until one of them grows: mine one more block.

        node  height  tip           waiting  state    group
        n0         3  abababababab        0  running  1
        n1         3  cdcdcdcdcdcd        0  running  1
        n2         3  abababababab        1  running  2
      ]
    `);
    await expect(settling([{ tip: X }, { tip: Y, height: 4 }])).rejects.toThrow(/no more to tell\.\n/);
  });

  test('is given up for what the network itself has to say, and when it is gone', async () => {
    const check = (): never => {
      throw new Error('n1 ended by itself');
    };
    await expect(settling([{ tip: X }], { check })).rejects.toThrow('n1 ended by itself');
    const signal = AbortSignal.abort(new Error('gone'));
    await expect(settling([{ tip: X }], { signal })).rejects.toThrow('gone');
  });
});

test('what a node that is not there has, agrees with nothing', () => {
  const reading = { tip: X, pool: '' };
  expect(isAgreed([reading, undefined], [[0, 1]], 'tip')).toBe(false);
  expect(isAgreed([undefined, undefined], [[0, 1]], 'pool')).toBe(false);
  expect(isAgreed([reading, undefined, reading], [[0, 2]], 'tip')).toBe(true);
});
