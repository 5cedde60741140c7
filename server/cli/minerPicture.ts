import { styleText } from 'node:util';
import { cutLine } from '../../client/cli/cutLine.js';
import { formatCoins, toAmount } from '../../shared/model/amount.js';
import { printable } from '../../shared/printable.js';
import { expectedMs, type MinerView } from '../miner/minerView.js';
import { duration, grouped, scaled } from './figures.js';

/** Lines of the picture that are neither nodes nor news. */
const OTHER_LINES = 10;

/** What the picture shows. */
export interface MinerScene {
  readonly name: string;
  readonly view: MinerView;
  /** What was logged lately, oldest first. */
  readonly news: readonly string[];
}

/** How a miner does, cut to a terminal's size: a line that wraps or scrolls away would leave its remains behind. */
export function minerPicture(
  { name, view, news }: MinerScene,
  size: { readonly columns: number; readonly rows: number },
): string {
  const room = Math.max(0, size.rows - OTHER_LINES);
  const nodes = nodeLines(view).slice(0, Math.max(1, room - 1));
  const recent = room > nodes.length ? news.slice(nodes.length - room) : [];
  const lines = [
    `${styleText('bold', `trestle ${name}`)}  mines for ${view.address}, up ${duration(view.uptimeMs)}`,
    '',
    row('hash rate', rateLine(view)),
    row('work', workLine(view)),
    row('expected', expectedLine(view)),
    row('blocks', blocksLine(view)),
    ...nodes,
    '',
    ...recent.map((line) => `  ${line}`),
    '',
    styleText('dim', 'Ctrl-C stops mining.'),
  ];
  return lines.map((line) => cutLine(line, size.columns)).join('\n');
}

/** What a miner came to, in a sentence. */
export function minerSummary(view: MinerView): string {
  const rate = scaled(view.hashRateOverall, 'H/s');
  return `mined for ${duration(view.uptimeMs)} at ${rate}: ${blocksLine(view)}`;
}

function row(title: string, text: string): string {
  return `${styleText('dim', title.padEnd(10))} ${text}`;
}

function rateLine({ hashRate, hashRateOverall, threads, threadsReplaced }: MinerView): string {
  const replaced = threadsReplaced === 0 ? '' : `, ${grouped(threadsReplaced)} replaced`;
  const count = `${threads} ${threads === 1 ? 'thread' : 'threads'}${replaced}`;
  return `${styleText('bold', scaled(hashRate, 'H/s'))} now, ${scaled(hashRateOverall, 'H/s')} overall, ${count}`;
}

function workLine({ height, transactions, pays, isSearching, intervalMs }: MinerView): string {
  if (height === null) return 'none yet';
  const block = `block ${grouped(height)}: ${grouped(transactions ?? 0)} ${transactions === 1 ? 'transaction' : 'transactions'}`;
  const state = isSearching ? '' : intervalMs === null ? ' (waits for a template)' : ' (waits for its time)';
  return `${block}, pays ${formatCoins(toAmount(pays ?? 0n))} coins${state}`;
}

function expectedLine(view: MinerView): string {
  if (view.intervalMs !== null) return `a block every ${grouped(view.intervalMs)} ms, as it was told`;
  const ms = expectedMs(view);
  const hashes = view.hashesPerBlock === null ? '' : `, ${scaled(Number(view.hashesPerBlock), 'H')} on average`;
  return ms === null ? '-' : `a block in ${duration(ms)} at this rate${hashes}`;
}

function blocksLine({ found, accepted, side, refused, lost, earned }: MinerView): string {
  const parts = [
    `${grouped(found)} found`,
    `${grouped(accepted)} accepted (${formatCoins(toAmount(earned))} coins)`,
    `${grouped(side)} too late`,
    `${grouped(refused)} refused`,
    `${grouped(lost)} lost`,
  ];
  const pending = found - accepted - side - refused - lost;
  return [...parts, ...(pending === 0 ? [] : [`${pending} on the way`])].join(', ');
}

/** A line for each node, the one that is mined at first marked. */
function nodeLines({ node, nodes }: MinerView): string[] {
  return nodes.map(({ url, state, why, height }, i) => {
    const mark = url === node ? styleText('green', '▸') : ' ';
    const text =
      state === 'near'
        ? `height ${grouped(height ?? 0)}`
        : styleText('yellow', why === '' ? 'not looked at yet' : printable(why));
    return row(i === 0 ? 'nodes' : '', `${mark} ${url}  ${text}`);
  });
}
