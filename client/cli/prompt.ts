import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { UsageError } from './output.js';

/** The variable from which scripts hand in the passphrase of a key file. */
export const PASSPHRASE_VARIABLE = 'TRESTLE_PASSPHRASE';

/** Asks a person for a secret without showing it. Throws `UsageError` where nobody is there to be asked. */
export async function askSecret(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw new UsageError(`${question}: there is no terminal to ask at`);
  // readline echoes what is typed to its output: this one swallows it.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  // Switches the terminal's own echo off, so it comes before the question: who types at once is not shown either.
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write(`${question}: `);
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.once('SIGINT', () => reject(new UsageError('interrupted')));
      // The end of the input (Ctrl-D) is no answer.
      reader.once('close', () => reject(new UsageError('interrupted')));
      reader.question('', resolve);
    });
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}

/** The passphrase of a key file that exists: from the environment, or asked for. */
export async function knownPassphrase(): Promise<string> {
  return process.env[PASSPHRASE_VARIABLE] ?? (await askSecret('Passphrase'));
}

/** The passphrase of a new key file: asked for twice, so that a slip of the finger does not lock it for ever. */
export async function newPassphrase(): Promise<string> {
  const given = process.env[PASSPHRASE_VARIABLE];
  if (given === '') throw new UsageError(`${PASSPHRASE_VARIABLE} is empty: an empty passphrase protects nothing`);
  if (given !== undefined) return given;
  const first = await askSecret('New passphrase');
  if (first.length === 0) throw new UsageError('an empty passphrase protects nothing');
  if ((await askSecret('The same again')) !== first) throw new UsageError('the two passphrases differ');
  return first;
}
