import { formatLine, type TraceLine } from '../sim/trace.js';

/** The most lines shown. */
const MOST_LINES = 120;
/** The last lines are shown whatever they say. */
const LAST_LINES = 30;

/** A message on its way, an answer to one, or a call by whoever runs the network. */
const MESSAGE = /^\w+ [-=]> \w+ {2}|^asked from outside/;

/** The lines of a log that tell most: what was done and what nodes say of it, and of messages only the last. */
export function tellingLines(log: readonly TraceLine[]): string[] {
  const last = log.length - LAST_LINES;
  const telling = log.filter(({ what }, index) => index >= last || !MESSAGE.test(what));
  const left = telling.length - MOST_LINES;
  const shown = telling.slice(Math.max(0, left)).map(formatLine);
  return left > 0 ? [`(${left} lines before these are left out)`, ...shown] : shown;
}
