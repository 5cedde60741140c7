import { readFile } from 'node:fs/promises';
import { Option } from 'commander';
import * as z from 'zod';
import { UsageError } from '../../client/cli/output.js';
import { isNetworkName, NETWORKS } from '../../shared/consensus/networks.js';
import { type NetworkParams, parseNetwork } from '../../shared/consensus/params.js';

/** `--network`: a built-in name, or a file with a network's parameters. */
export function networkOption(): Option {
  const names = Object.keys(NETWORKS).join(', ');
  return new Option('--network <name>', `${names}, or a JSON file with a network's parameters`).default('dev');
}

/** The parameters that `--network` names. */
export async function loadNetwork(nameOrFile: string): Promise<NetworkParams> {
  if (isNetworkName(nameOrFile)) return NETWORKS[nameOrFile];
  const text = await readFile(nameOrFile, 'utf8').catch(() => {
    throw new UsageError(`--network: ${nameOrFile} is neither a network nor a file that can be read`);
  });
  try {
    return parseNetwork(JSON.parse(text));
  } catch (error) {
    throw new UsageError(`--network: ${nameOrFile}: ${explain(error)}`);
  }
}

function explain(error: unknown): string {
  if (!(error instanceof z.ZodError)) return String(error);
  return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}
