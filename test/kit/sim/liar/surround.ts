import { EPOCH_MS } from '../simClock.js';
import type { Simulation } from '../simulation.js';
import { ABSENT, value } from './answer.js';
import type { Liar } from './liar.js';

/**
 * Has liars surround whoever comes to them (an eclipse, Heilman et al. 2015): they answer as if the chain had come to an
 * end, keep every block and transaction to themselves, and name nobody but each other.
 */
export function surround(liars: readonly Liar[], net: Simulation): void {
  for (const liar of liars) {
    const lastSeen = Math.floor(EPOCH_MS + net.scheduler.now);
    const friends = liars.map(({ url }) => ({ url, lastSeen, connected: true, height: liar.tip.height }));
    const { answers } = liar.story;
    liar.story.tip = liar.tip;
    answers.set('node.list', value({ nodes: friends }));
    answers.set('node.random', value({ urls: friends.slice(0, 1).map(({ url }) => url) }));
    answers.set('block.headers', value({ headers: '' }));
    answers.set('block.range', ABSENT);
    answers.set('block.raw', ABSENT);
    answers.set('transaction.ids', value({ items: [], next: null }));
    answers.set('transaction.raw', value({ transactions: [] }));
  }
}
