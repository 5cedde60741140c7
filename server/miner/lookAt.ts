import { TRPCClientError } from '@trpc/client';
import * as z from 'zod';
import type { Client } from '../../client/createClient.js';
import { reasonOf } from '../../client/failure.js';
import { within } from '../../client/links.js';
import { syncOutput } from '../../shared/rpc/infoSchemas.js';
import { pingOutput } from '../../shared/rpc/nodeSchemas.js';
import type { Look } from './nodeChoice.js';

/** How long a node may take to say how it does. */
const LOOK_LIMIT_MS = 2_000;

/** Failures that go on for as long as the same program listens there. */
const LASTING: ReadonlySet<string> = new Set(['not-found', 'peer-protocol', 'peer-version', 'peer-network']);

/** Looks whether a node can be mined at: whether it answers, on which network it is, and how far it has come. */
export async function lookAt(client: Client, signal: AbortSignal): Promise<Look> {
  const options = { ...within(LOOK_LIMIT_MS), signal };
  try {
    const [ping, sync] = await Promise.all([
      client.node.ping.query(undefined, options),
      client.info.sync.query(undefined, options),
    ]);
    // The types are what a node of this version answers; another one may answer otherwise.
    const { genesis, tip } = pingOutput.parse(ping);
    const { height, bestHeader } = syncOutput.parse(sync);
    return { kind: 'answered', genesis, height: tip.height, missing: Math.max(0, bestHeader - height) };
  } catch (error) {
    return { kind: isLasting(error) ? 'refused' : 'away', why: explain(error) };
  }
}

/** Why a node was of no use, in words. */
export function explain(error: unknown): string {
  if (error instanceof z.ZodError) return 'it speaks another contract';
  if (isMissing(error)) return 'it is no full node of this version: it lacks the calls that miners need';
  const reason = reasonOf(error);
  if (reason === null) return `its answer was a failure without a reason: ${String(error)}`;
  return reason.code === 'peer-unreachable' ? `it does not answer (${reason.detail})` : reason.code;
}

function isLasting(error: unknown): boolean {
  return error instanceof z.ZodError || isMissing(error) || LASTING.has(reasonOf(error)?.code ?? '');
}

/** Whether a call failed because there is no such procedure: a directory server, or another version. */
function isMissing(error: unknown): boolean {
  if (!(error instanceof TRPCClientError)) return false;
  const data: unknown = error.data;
  return typeof data === 'object' && data !== null && 'code' in data && data.code === 'NOT_FOUND';
}
