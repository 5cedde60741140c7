import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)\s*import\s+'([^']+)'/g;

interface Source {
  /** Path from the root, such as `server/node.ts`. */
  readonly path: string;
  readonly text: string;
  /** Paths of our own files, and names of packages as they stand. */
  readonly imports: readonly string[];
}

function* filesUnder(directory: string): Generator<string> {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    // An example in which somebody has run `npm install`.
    if (name === 'node_modules') continue;
    if (statSync(path).isDirectory()) yield* filesUnder(path);
    else if (/\.tsx?$/.test(name) && !name.endsWith('.d.ts')) yield path;
  }
}

function readSource(file: string): Source {
  const text = readFileSync(file, 'utf8');
  const imports = Array.from(text.matchAll(IMPORT), ([, a, b, c]) => a ?? b ?? c ?? '').map((specifier) =>
    specifier.startsWith('.') ? relative(ROOT, resolve(dirname(file), specifier)).replace(/\.js$/, '.ts') : specifier,
  );
  return { path: relative(ROOT, file), text, imports };
}

const sources = ['shared', 'client', 'server', 'bin', 'test', 'bench', 'examples'].flatMap((folder) =>
  Array.from(filesUnder(join(ROOT, folder)), readSource),
);
const inFolder = (folder: string): Source[] => sources.filter(({ path }) => path.startsWith(`${folder}/`));

/** Imports that break a rule, as `file -> import`. */
function violations(files: readonly Source[], isWrong: (specifier: string, file: Source) => boolean): string[] {
  return files.flatMap((file) =>
    file.imports.filter((specifier) => isWrong(specifier, file)).map((specifier) => `${file.path} -> ${specifier}`),
  );
}

const ownFolder = (specifier: string): string | undefined =>
  /^(shared|client|server|bin|test|bench|examples)\//.exec(specifier)?.[1];

describe('imports run one way', () => {
  const allowed: Record<string, readonly string[]> = {
    shared: ['shared'],
    client: ['shared', 'client'],
    server: ['shared', 'client', 'server'],
    bin: ['shared', 'client', 'server', 'bin', 'test'],
    test: ['shared', 'client', 'server', 'test'],
    bench: ['shared', 'client', 'server', 'test', 'bench'],
    examples: ['examples'],
  };

  test.each(Object.entries(allowed))('%s imports only from %j', (folder, may) => {
    const isWrong = (specifier: string): boolean => {
      const target = ownFolder(specifier);
      return target !== undefined && !may.includes(target);
    };
    expect(violations(inFolder(folder), isWrong)).toEqual([]);
  });

  /** Inside the server: who may import whom. Files beside the folders are the composition and may import all. */
  const layers: Record<string, readonly string[]> = {
    store: [],
    system: [],
    chain: ['store'],
    mempool: ['chain', 'store'],
    miner: ['mempool', 'chain', 'store'],
    net: ['store'],
    relay: ['mempool', 'chain', 'net', 'store', 'sync'],
    sync: ['mempool', 'chain', 'net', 'store'],
    http: ['net', 'store'],
    events: ['mempool', 'chain', 'store'],
    api: ['events', 'relay', 'sync', 'miner', 'mempool', 'chain', 'net', 'store'],
    repair: ['chain', 'net', 'store'],
    cli: ['system', 'miner', 'repair'],
  };

  test.each(Object.entries(layers))('server/%s imports only from %j', (layer, may) => {
    const files = inFolder(`server/${layer}`);
    expect(files.length).toBeGreaterThan(0);
    const isWrong = (specifier: string): boolean => {
      const target = /^server\/(?:([a-z]+)\/)?[^/]+$/.exec(specifier);
      if (target === null) return false;
      // Of what stands beside the folders only the ports are for everybody; the rest puts the parts together.
      if (target[1] === undefined)
        return layer !== 'cli' && !['server/ports.ts', 'server/background.ts'].includes(specifier);
      return target[1] !== layer && !may.includes(target[1]);
    };
    expect(violations(files, isWrong)).toEqual([]);
  });

  test('server has no folder that the table above does not name', () => {
    const folders = new Set(inFolder('server').flatMap(({ path }) => /^server\/([a-z]+)\//.exec(path)?.[1] ?? []));
    expect([...folders].sort()).toEqual(Object.keys(layers).sort());
  });
});

describe('what each part may touch', () => {
  const isNode = (specifier: string): boolean => specifier.startsWith('node:');
  const browserSafe = [
    ...inFolder('shared'),
    ...inFolder('client').filter(({ path }) => !path.startsWith('client/cli/')),
  ];

  test('nothing of Node in shared/, nor in client/ outside client/cli/', () => {
    expect(violations(browserSafe, isNode)).toEqual([]);
  });

  test.each([
    [
      'shared',
      ['@noble/hashes', '@noble/secp256k1', '@scure/bip32', '@scure/bip39', '@trpc/server', 'superjson', 'zod'],
    ],
    ['client', ['@trpc/client', '@trpc/server', 'commander', 'eventsource', 'eventsource-parser', 'log-update', 'zod']],
  ])('%s uses no packages but %j', (folder, packages) => {
    const isWrong = (specifier: string): boolean => {
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      return ownFolder(specifier) === undefined && !isNode(specifier) && !packages.includes(name);
    };
    expect(violations(inFolder(folder), isWrong)).toEqual([]);
  });

  test('shared/ knows no clock, no chance, no timer, no process and no console', () => {
    const forbidden =
      /\bDate\.now\b|\bnew Date\b|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bperformance\b|\bprocess\b\.|\bconsole\b|\bfetch\(|crypto\.(?:getRandomValues|subtle)|\bBuffer\b/;
    expect(matches(inFolder('shared'), forbidden)).toEqual([]);
  });

  describe('in the server, the world comes through ports alone', () => {
    /** What stands behind a port, or is no part of a node that a simulation runs: commands, repairs, miners' threads. */
    const adapters =
      /^server\/(?:system|http|cli|repair)\/|^server\/net\/dialer\.ts$|^server\/miner\/(?:solver|solveWorker)\.ts$|^server\/store\/(?:lmdbKv|openStore|lock|marker|room|dataFile|checkDataFile)\.ts$/;
    const inside = inFolder('server').filter(({ path }) => !adapters.test(path));

    test('no clock, chance, timer, process, thread or request of its own in any other file', () => {
      const forbidden =
        /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\(|\bperformance\b|\bqueueMicrotask\(|\bAbortSignal\.timeout\b|\bprocess\.|(?<![.#]|async )\bfetch\(|\bcrypto\.(?:subtle|getRandomValues|randomUUID)|\bnew Worker\(/;
      expect(matches(inside, forbidden)).toEqual([]);
    });

    test('nor in the simulator, where one turn of the event loop is all that comes from outside', () => {
      const forbidden =
        /\bDate\.now\b|\bnew Date\b|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bperformance\b|\bqueueMicrotask\(|\bprocess\.|(?<![.#]|async )\bfetch\(|node:(?:fs|http|net|dns|worker_threads|child_process|timers)/;
      expect(matches(inFolder('test/kit/sim'), forbidden)).toEqual(['test/kit/sim/scheduler.ts']);
    });

    test('of Node only functions that compute, and of packages none that reach out', () => {
      const computing: Record<string, readonly string[]> = {
        'node:net': ['BlockList', 'isIP'],
        'node:crypto': ['createHash'],
        'node:events': ['setMaxListeners'],
        'node:path': ['join'],
        'node:zlib': ['crc32'],
      };
      const reaching = ['lmdb', 'pino', 'undici', 'fs-native-extensions', 'secp256k1', 'eventsource'];
      const wrong = inside.flatMap(({ path, text }) =>
        Array.from(text.matchAll(/import\s+(type\s+)?(?:\{([^}]*)\}|\S+)\s+from\s+'([^'./][^']*)'/g))
          .filter(([, isType]) => isType === undefined)
          .flatMap(([, , names = '*', from = '']) =>
            from.startsWith('node:')
              ? names
                  .split(',')
                  .map((name) => name.trim())
                  .filter((name) => name !== '' && !name.startsWith('type ') && !computing[from]?.includes(name))
                  .map((name) => `${path} -> ${from} ${name}`)
              : reaching.some((name) => from === name || from.startsWith(`${name}/`))
                ? [`${path} -> ${from}`]
                : [],
          ),
      );
      expect(wrong).toEqual([]);
    });

    test('the client keeps its timers in one file, and knows no other clock but as a default', () => {
      const timers = /\bset(?:Timeout|Interval|Immediate)\(|\bperformance\b|\bMath\.random\b|\bDate\.now\(/;
      expect(matches(browserSafe, timers)).toEqual(['client/time.ts']);
    });
  });

  test('pure planners know no clock either: time is an argument', () => {
    const pure = [
      'server/relay/requests.ts',
      'server/relay/rebuild.ts',
      'server/relay/blockPlan.ts',
      'server/relay/recentBlocks.ts',
      'server/sync/locator.ts',
      'server/sync/bodies.ts',
      'server/sync/bodyWindow.ts',
      'server/sync/branch.ts',
      'server/sync/download.ts',
      'server/sync/pace.ts',
      'server/sync/presync.ts',
      'server/sync/progress.ts',
      'server/net/score.ts',
      'server/net/addressTables.ts',
      'server/net/planDials.ts',
      'server/net/planRotation.ts',
      'server/mempool/eviction.ts',
      'server/mempool/feeBuckets.ts',
      'server/mempool/feeEstimator.ts',
      'server/mempool/feeHistogram.ts',
      'server/mempool/judge.ts',
      'server/mempool/lostTransfers.ts',
      'server/mempool/missingParents.ts',
      'server/mempool/waitingRoom.ts',
      'server/sync/turns.ts',
      'server/mempool/pool.ts',
      'server/miner/selectChunks.ts',
      'server/miner/packBest.ts',
      'server/miner/blockDraft.ts',
      'server/miner/buildTemplate.ts',
      'server/miner/hashMeter.ts',
      'server/miner/nodeChoice.ts',
      'server/chain/addressDelta.ts',
      'server/chain/blockWrites.ts',
    ];
    const files = sources.filter(({ path }) => pure.includes(path));
    expect(files).toHaveLength(pure.length);
    expect(violations(files, (specifier) => specifier === 'server/ports.ts' || isNode(specifier))).toEqual([]);
  });

  test('only the entry points have an index', () => {
    const indexes = sources.map(({ path }) => path).filter((path) => /(^|\/)index\.ts$/.test(path));
    expect(indexes.sort()).toEqual([
      'client/index.ts',
      'client/wallet/index.ts',
      'server/index.ts',
      'shared/consensus/index.ts',
      'shared/rpc/index.ts',
      'test/kit/index.ts',
    ]);
    const isWrong = (specifier: string): boolean => /(^|\/)index\.ts$/.test(specifier);
    expect(violations(sources, isWrong)).toEqual([]);
  });

  test('the client takes the router’s type, never its value: the peers’ own client aside', () => {
    const value = /import\s+(?!type\b)\{[^}]*\b(?<!type )appRouter\b[^}]*\}\s+from\s+'[^']*rpc\/router/;
    expect(matches(inFolder('client'), value)).toEqual(['client/peerClient.ts']);
    expect(
      violations(
        browserSafe.filter(({ path }) => path !== 'client/peerClient.ts'),
        (specifier) => specifier === 'client/peerClient.ts',
      ),
    ).toEqual([]);
  });

  test('zod is imported whole, which bundlers cut down; by name they cannot', () => {
    expect(matches(sources, /import\s+(?:type\s+)?\{[^}]*\}\s+from\s+'zod'/)).toEqual([]);
  });

  test('of the tests, the command line knows the commands of the kit, which load the rest when they are called', () => {
    const isWrong = (specifier: string): boolean =>
      specifier.startsWith('test/') && !specifier.startsWith('test/kit/cli/');
    expect(violations(inFolder('bin'), isWrong)).toEqual([]);
  });

  test('the test kit, which ships, imports no development dependency and nothing of the tests around it', () => {
    const dev = ['vitest', 'fast-check', 'playwright-core'];
    const isDev = (specifier: string): boolean =>
      dev.some((name) => specifier === name || specifier.startsWith(`${name}/`));
    const isTest = (specifier: string): boolean => specifier.startsWith('test/') && !specifier.startsWith('test/kit/');
    expect(violations(inFolder('test/kit'), (specifier) => isDev(specifier) || isTest(specifier))).toEqual([]);
  });
});

test('no file is longer than 300 lines', () => {
  const long = sources.filter(({ path, text }) => !path.startsWith('test/') && text.split('\n').length > 301);
  expect(long.map(({ path, text }) => `${path}: ${text.split('\n').length - 1}`)).toEqual([]);
});

function matches(files: readonly Source[], pattern: RegExp): string[] {
  return files.filter(({ text }) => pattern.test(withoutComments(text))).map(({ path }) => path);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, '');
}
