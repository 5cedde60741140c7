import { describeViews, type NodeView } from './nodeView.js';

/** Why nodes have not converged, for people; `undefined`: all that run stand on one tip. */
export function checkConverged(views: readonly NodeView[]): string | undefined {
  const up = views.filter(({ state }) => state !== 'down');
  const tips = new Set(up.map(({ tip }) => tip));
  if (tips.size === 1 && !tips.has(undefined)) return undefined;
  let found = `they stand on ${tips.size}`;
  if (up.length === 0) found = 'none runs';
  else if (tips.has(undefined)) found = `${namesOf(up.filter(({ tip }) => tip === undefined))} did not answer`;
  return message(`All nodes that run should stand on one tip, but ${found}.`, describeViews(views));
}

/** What is asked of a transaction, and what is known of it. */
export interface Confirmation {
  readonly txid: string;
  /** How many it should have at least. */
  readonly confirmations: number;
  /** The nodes that are asked, by their places. */
  readonly nodes: readonly number[];
  /** How many it has at each node of the network: 0 while it waits, `undefined` where it is not known. */
  readonly found: readonly (number | undefined)[];
}

/** Why a transaction is not confirmed as it should be, for people; `undefined`: it is. */
export function checkConfirmed(views: readonly NodeView[], asked: Confirmation): string | undefined {
  const { txid, confirmations, nodes, found } = asked;
  const pick = (places: readonly number[]): NodeView[] => places.flatMap((place) => views[place] ?? []);
  const missing = nodes.filter((place) => (found[place] ?? -1) < confirmations);
  if (nodes.length > 0 && missing.length === 0) return undefined;
  const where = nodes.length === 0 ? 'but no node runs' : `but not so at ${namesOf(pick(missing))}`;
  const cells = views.map((_, place) => confirmationsText(found[place]));
  return message(
    `Transaction ${txid} should have ${countOf(confirmations, 'confirmation')} or more, ${where}.`,
    describeViews(views, { title: 'transaction', cells }),
  );
}

/** Why nodes do not hold what they should, for people, given what an audit of each found; `undefined`: they do. */
export function checkAudits(views: readonly NodeView[], faults: readonly (string | undefined)[]): string | undefined {
  const place = faults.findIndex((fault) => fault !== undefined);
  if (place < 0) return undefined;
  return message(
    `Every node that runs should hold a valid chain and tell the truth of it, but ${views[place]?.name} does not: ${faults[place]}.`,
    describeViews(views),
  );
}

function message(sentence: string, table: string): string {
  return `${sentence}\n\n${table}\n`;
}

function confirmationsText(found: number | undefined): string {
  if (found === undefined) return 'unknown';
  return found === 0 ? 'waiting' : countOf(found, 'confirmation');
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function namesOf(views: readonly NodeView[]): string {
  const names = views.map(({ name }) => name);
  const last = names.pop() ?? 'none';
  return names.length === 0 ? last : `${names.join(', ')} and ${last}`;
}
