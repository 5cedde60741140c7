import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Option } from 'commander';
import { type Client, createClient } from '../createClient.js';
import type { UrlOptions } from './command.js';
import { UsageError } from './output.js';

/** What commands are given that only an operator may use. */
export interface OperatorOptions extends UrlOptions {
  readonly dataDir: string;
}

/** `--data-dir`: where the node keeps the token that makes its operator. */
export function dataDirOption(): Option {
  const usual = join(homedir(), '.trestle', 'dev', 'node');
  return new Option('--data-dir <path>', 'data directory of the node, which holds its operator token').default(
    usual,
    '~/.trestle/dev/node',
  );
}

/** A client that may do what an operator may: whoever can read the token is one. */
export async function operatorClient({ url, dataDir }: OperatorOptions): Promise<Client> {
  const file = join(dataDir, 'operator-token');
  const token = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${file} cannot be read (${error.code}): name the node's --data-dir`);
  });
  return createClient({ url, token: token.trim() });
}
