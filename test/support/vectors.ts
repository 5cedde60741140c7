import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The variable that names the folder with published test vectors. */
export const VECTORS_VARIABLE = 'TRESTLE_VECTORS';

/** A file with vectors. */
export interface VectorFile {
  readonly name: string;
  readonly text: string;
}

/** Why vectors are not read, for the test's name; `undefined` where they are. */
export function whyNoVectors(): string | undefined {
  return process.env[VECTORS_VARIABLE] === undefined ? `${VECTORS_VARIABLE} is not set` : undefined;
}

/** All files of one kind. Fails where the folder was named and holds none: a check that reads nothing proves nothing. */
export function vectorFiles(kind: string): VectorFile[] {
  const root = process.env[VECTORS_VARIABLE];
  if (root === undefined) return [];
  const directory = join(root, kind);
  const names = existsSync(directory) ? readdirSync(directory).sort() : [];
  if (names.length === 0) throw new Error(`${VECTORS_VARIABLE} is set, but ${directory} holds no vectors`);
  return names.map((name) => ({ name, text: readFileSync(join(directory, name), 'utf8') }));
}

/** Folders of vectors beside the ones that are read. */
export function unreadFolders(read: readonly string[]): string[] {
  const root = process.env[VECTORS_VARIABLE];
  if (root === undefined) return [];
  return readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() && !read.includes(entry.name) ? [entry.name] : [],
  );
}
