import { describe, expect, test } from 'vitest';
import { type EngineLoaders, loadEngine } from '../../../server/system/engines.js';
import { inlineSignatures } from '../../../server/system/signatures.js';
import { checkSignatures } from '../../../shared/consensus/checkInputs.js';
import { nobleEngine, signDigest } from '../../../shared/crypto/secp.js';
import type { RecoveryEngine } from '../../../shared/crypto/signature.js';
import { requireWorking } from '../../../shared/crypto/workingEngine.js';
import { assertOk, assertRefused, present } from '../../kit/assertOk.js';
import { testKey, transfer } from '../../kit/builders.js';
import { TestChain } from '../../kit/testChain.js';
import { allEngines } from '../../support/engines.js';
import { failureFrom } from '../../support/failureFrom.js';
import { memoryChain, stillClock } from '../../support/memoryChain.js';
import { recordingLog } from '../../support/recordingLog.js';

/** What is used of it here; the types of Node leave it out. */
declare const WebAssembly: {
  Memory: new (descriptor: object) => { readonly buffer: ArrayBuffer };
  RuntimeError: ErrorConstructor;
};

const named = (name: string, engine: RecoveryEngine = nobleEngine): RecoveryEngine => ({ ...engine, name });
const missing = (why: string) => (): Promise<never> =>
  Promise.reject(new Error(`${why}\n    loaded from: /home/someone`));
const machine = (loaders: Partial<EngineLoaders>): EngineLoaders => ({
  native: async () => named('native'),
  wasm: async () => named('wasm'),
  noble: async () => nobleEngine,
  ...loaders,
});

/** Loads with one answer for every question: the key of somebody. */
const liar: RecoveryEngine = { name: 'liar', recover: () => new Uint8Array(65).fill(4) };

describe('choosing an engine', () => {
  test('native comes first, and there is nothing to say about it', async () => {
    const log = recordingLog();
    expect((await loadEngine('auto', { log, loaders: machine({}) })).name).toBe('native');
    expect(log.lines).toEqual([]);
  });

  test('where no binary fits, WebAssembly takes over with a warning that gives the reason and the consequence', async () => {
    const log = recordingLog();
    const loaders = machine({ native: missing('No native build was found for platform=plan9') });
    expect((await loadEngine('auto', { log, loaders })).name).toBe('wasm');
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: expect.stringMatching(/WebAssembly.*slower/),
        fields: { engine: 'wasm', reason: 'Error: No native build was found for platform=plan9' },
      },
    ]);
  });

  test('a binary that loads and recovers wrong keys is as good as none', async () => {
    const log = recordingLog();
    const loaders = machine({ native: async () => liar });
    expect((await loadEngine('auto', { log, loaders })).name).toBe('wasm');
    expect(log.lines).toMatchObject([
      { level: 'warn', fields: { reason: expect.stringContaining('known signature') } },
    ]);
  });

  test('JavaScript is never fallen back to: without the other two there is a clear error', async () => {
    const log = recordingLog();
    const loaders = machine({ native: missing('no binary'), wasm: missing('no WebAssembly') });
    expect(await failureFrom(loadEngine('auto', { log, loaders }))).toEqual({
      code: 'engine-unavailable',
      engine: 'auto',
      detail: 'native: Error: no binary; wasm: Error: no WebAssembly',
    });
    expect(log.lines).toEqual([]);
  });

  test.each(['native', 'wasm'] as const)('%s that was asked for by name has no substitute', async (engine) => {
    const loaders = machine({ [engine]: missing('not here') });
    const reason = await failureFrom(loadEngine(engine, { log: recordingLog(), loaders }));
    expect(reason).toEqual({ code: 'engine-unavailable', engine, detail: 'Error: not here' });
  });

  test('JavaScript runs where the operator asks for it, and says what that costs', async () => {
    const log = recordingLog();
    expect((await loadEngine('noble', { log })).name).toBe('noble');
    expect(log.lines).toMatchObject([{ level: 'warn', message: expect.stringMatching(/slower/) }]);
  });
});

describe('an engine that breaks while it runs', () => {
  const [alice, bob] = [testKey(1), testKey(2)];
  const digest = new Uint8Array(32).fill(7);
  const good = { digest, signatures: [signDigest(digest, alice.secretKey)], owners: [alice.address] };
  const forged = { ...good, owners: [bob.address] };

  test.each([
    [
      'throws whatever it is asked',
      {
        name: 'x',
        recover: () => {
          throw new RangeError('memory access out of bounds');
        },
      },
    ],
    ['refuses whatever it is asked', { name: 'x', recover: () => undefined }],
    ['recovers somebody else’s key', liar],
    ['answers with something that is no key', { name: 'x', recover: () => new Uint8Array(3) }],
  ] satisfies [string, RecoveryEngine][])(
    'one that %s is a broken machine: no signature is called bad',
    (_what, engine) => {
      expect(() => checkSignatures(engine, good)).toThrow('is broken');
      expect(() => requireWorking(engine)).toThrow('is broken');
    },
  );

  test('one that throws on a single signature only has met a bad signature, whatever it throws', () => {
    const bad = present(forged.signatures[0]).slice(0, 64);
    for (const thrown of [
      new RangeError('memory access out of bounds'),
      new WebAssembly.RuntimeError('unreachable'),
      'text',
    ])
      expect(
        assertRefused(
          checkSignatures(
            {
              name: 'picky',
              recover(compact, ...rest) {
                if (Buffer.compare(compact, bad) === 0) throw thrown;
                return nobleEngine.recover(compact, ...rest);
              },
            },
            good,
          ),
        ),
      ).toEqual({ code: 'tx-signature-invalid', signature: 0 });
  });

  test('the real ones pass that test, also right after refusing', async () => {
    for (const engine of await allEngines()) {
      assertOk(checkSignatures(engine, good));
      expect(assertRefused(checkSignatures(engine, forged)).code).toBe('tx-signature-owner');
      expect(() => requireWorking(engine)).not.toThrow();
    }
  });

  test('WebAssembly whose memory was overwritten is found out before it calls a good signature bad', async () => {
    const { Memory } = WebAssembly;
    const memories: InstanceType<typeof Memory>[] = [];
    WebAssembly.Memory = class extends Memory {
      constructor(descriptor: object) {
        super(descriptor);
        memories.push(this);
      }
    };
    const engine = await loadEngine('wasm', { log: recordingLog() }).finally(() => {
      WebAssembly.Memory = Memory;
    });
    assertOk(checkSignatures(engine, good));
    expect(memories).toHaveLength(1);
    for (const { buffer } of memories) new Uint8Array(buffer).fill(0xff);
    expect(() => checkSignatures(engine, good)).toThrow('is broken');
  });

  test('a valid block that meets a broken engine is not condemned: it connects once the engine works', async () => {
    const source = new TestChain();
    const blocks = source.grow(source.genesis, 3);
    const genesis = source.genesis.header.hash;
    const spend = [source.coinOf(present(blocks[0]))];
    const paid = transfer({ genesis, spend, outputs: [{ address: bob.address, value: 1_000n }] });
    const paying = source.extend(present(blocks[2]), { transactions: [paid] });
    let engine = liar;
    const breaking: RecoveryEngine = { name: 'breaking', recover: (...args) => engine.recover(...args) };
    const chain = await memoryChain({ signatures: inlineSignatures(breaking, stillClock()) });
    for (const block of blocks) assertOk(await chain.submitBlock(block));
    await expect(chain.submitBlock(paying)).rejects.toThrow('breaking is broken');
    expect(chain.tip.header.hash).toBe(present(blocks[2]).header.hash);
    engine = nobleEngine;
    expect(assertOk(await chain.submitBlock(paying)).status).toBe('connected');
  });
});
