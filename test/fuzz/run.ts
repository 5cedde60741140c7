import { Agent } from 'node:http';
import type { ReasonCode } from '../../shared/reasons.js';
import { bytesCase, objectCase, validCase, type WireRequest } from './cases.js';
import { check, type Fault } from './check.js';
import { Dice } from './dice.js';
import { allProcedures, type Procedure } from './procedures.js';
import { send } from './send.js';
import { type LoopDelay, startTarget, type Target } from './target.js';
import { attackTransport } from './transport.js';
import type { Corpus } from './validInput.js';

/** What to do. */
export interface FuzzOptions {
  /** Of each of the two kinds (bytes, objects), for each procedure. */
  readonly cases: number;
  readonly seed: string;
  /** Only procedures whose path begins with it; all unless given. */
  readonly only?: string | undefined;
}

/** A request that was answered as it must not be. */
export interface Failure extends Fault {
  readonly procedure: string;
  /** Names the case within its seed. */
  readonly name: string;
  readonly request: WireRequest;
}

/** What came of it. */
export interface FuzzReport {
  readonly procedures: number;
  readonly cases: number;
  readonly failures: readonly Failure[];
  /** Procedures that never got past their schema or the session check: then nothing about them was shown. */
  readonly unreached: readonly string[];
  readonly alive: boolean;
  readonly stateUnchanged: boolean;
  /** Lines in the node's log about calls that failed by our fault. */
  readonly loggedFailures: readonly string[];
  readonly delay: LoopDelay;
  /** How often each code came back, by procedure. */
  readonly codes: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** Valid calls for each procedure, beside the others. */
const VALID = 10;
/** Requests under way at once. */
const CONCURRENCY = 8;
/** After so many cases the peer says hello again: what it announced may have cost it its session. */
const CASES_A_SESSION = 20;
/** Codes that come from the door, not from the procedure. */
const DOOR: readonly string[] = ['bad-request', 'unauthorized', 'too-large'] satisfies ReasonCode[];

/** Starts a node and sends every procedure of its router what no client would. */
export async function runFuzz({ cases, seed, only = '' }: FuzzOptions): Promise<FuzzReport> {
  await using target = await startTarget();
  const procedures = allProcedures().filter(({ path }) => path.startsWith(only));
  const before = await target.state();
  await target.loopDelay();
  const run: Run = { target, seed, agent: new Agent({ keepAlive: true, maxSockets: CONCURRENCY }), failures: [] };
  const codes = new Map<string, Map<string, number>>();
  for (const procedure of procedures) {
    codes.set(procedure.path, await fuzzProcedure(run, procedure, cases));
  }
  run.agent.destroy();
  const onSockets = only === '' ? await attackTransport(target, { cases, dice: new Dice(`${seed} sockets`) }) : [];
  const delay = await target.loopDelay();
  const alive = await target.isAlive();
  const log = await target.log();
  return {
    procedures: procedures.length,
    cases: procedures.length * (cases * 2 + VALID),
    failures: [...run.failures, ...onSockets],
    unreached: procedures.map(({ path }) => path).filter((path) => !isReached(codes.get(path))),
    alive,
    stateUnchanged: alive && (await target.state()) === before,
    loggedFailures: log.split('\n').filter((line) => /a call failed|"level":(?:50|60)|Error:/.test(line)),
    delay,
    codes,
  };
}

interface Run {
  readonly target: Target;
  readonly seed: string;
  readonly agent: Agent;
  readonly failures: Failure[];
}

async function fuzzProcedure(run: Run, procedure: Procedure, cases: number): Promise<Map<string, number>> {
  const { target, agent, failures, seed } = run;
  const codes = new Map<string, number>();
  const corpus = await target.corpus();
  const names = Array.from({ length: cases }, (_, i) => [`bytes ${i}`, `object ${i}`]).flat();
  for (let i = 0; i < VALID; i++) names.push(`valid ${i}`);
  let session = '';
  const isPeers = await needsSession(run, procedure, corpus);
  for (let start = 0; start < names.length; start += CASES_A_SESSION) {
    if (isPeers) session = await target.session();
    const pending = names.slice(start, start + CASES_A_SESSION);
    const worker = async (): Promise<void> => {
      for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
        const dice = new Dice(`${seed} ${procedure.path} ${name}`);
        const make = name.startsWith('bytes') ? bytesCase : name.startsWith('object') ? objectCase : validCase;
        const plain = make({ procedure, corpus, dice });
        const headers = { ...(isPeers ? { 'x-trestle-session': session } : {}), ...plain.headers };
        const request = { ...plain, headers };
        const checked = check(await send(target.url, request, agent), target.paths);
        if ('fault' in checked) failures.push({ ...checked.fault, procedure: procedure.path, name, request });
        else for (const code of checked.codes) codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    if (!(await target.isAlive())) throw new Error(died(run, procedure, pending));
  }
  return codes;
}

/** Whether a procedure asks strangers for a session: the router does not say, the procedure does. */
async function needsSession({ target, agent, seed }: Run, procedure: Procedure, corpus: Corpus): Promise<boolean> {
  const dice = new Dice(`${seed} ${procedure.path} probe`);
  const request = validCase({ procedure, corpus, dice });
  const { text } = await send(target.url, request, agent);
  return text.includes('this call needs a session');
}

/** Reached is what has answered, or has refused by a rule of its own; operator calls are reached by their refusal. */
function isReached(codes: ReadonlyMap<string, number> = new Map()): boolean {
  return codes.has('ok') || [...codes.keys()].some((code) => !DOOR.includes(code)) || codes.has('unauthorized');
}

function died({ seed }: Run, { path }: Procedure, left: readonly string[]): string {
  return `the node is gone: seed ${seed}, procedure ${path}, within the ${CASES_A_SESSION} cases before ${left[0] ?? 'the next'}`;
}
