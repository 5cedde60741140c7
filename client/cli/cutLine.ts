import { stripVTControlCharacters } from 'node:util';

/** Cuts a line to less than a width; one that is too long loses its colours with its end. */
export function cutLine(line: string, width: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length < width ? line : `${plain.slice(0, width - 2)}…`;
}
