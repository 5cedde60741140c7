import { MAX_ANSWER_BYTES } from '../../../../server/net/dialer.js';
import { toBase64 } from '../../../../shared/bytes/base64.js';
import { HEADER_BYTES } from '../../../../shared/model/header.js';
import type { Dice } from '../dice.js';
import { type Answer, SILENCE, value } from './answer.js';
import { HEADER_LIES } from './headerLies.js';
import type { Lie } from './lie.js';

/** What nodes ask of each other as long as they live. */
const QUESTIONS = [
  ...['node.ping', 'node.list', 'block.headers', 'block.range', 'block.raw'],
  ...['transaction.ids', 'transaction.raw'],
];
/** One more character than a node reads of an answer. */
const TOO_MUCH = MAX_ANSWER_BYTES + 1;

/** Answers every question with what is no answer. */
export const GARBAGE_LIES = {
  'garbage-page': garbage(() => ({ kind: 'text', text: '<!doctype html><title>502 Bad Gateway</title>' })),
  'garbage-shape': garbage((dice) => value(dice.pick(WRONG_SHAPES))),
  'garbage-huge': garbage(() => ({ kind: 'text', text: 'x'.repeat(TOO_MUCH) })),
  'garbage-silence': garbage(() => SILENCE),
} satisfies Record<string, Lie>;

/** Values that fit no procedure's output, or that one alone to which they are no answer: headers cut short, and of nowhere. */
const WRONG_SHAPES: readonly [unknown, ...unknown[]] = [
  null,
  7,
  'headers',
  [],
  {},
  { headers: 'not base64' },
  { headers: toBase64(new Uint8Array(HEADER_BYTES + 1)) },
  { headers: toBase64(new Uint8Array(HEADER_BYTES)) },
  { headers: -1, nodes: 'none', tip: { height: -1, hash: '', work: -1n }, items: [null], blocks: [{}] },
  { nodes: [{ url: 'x'.repeat(10_000), lastSeen: null, connected: true, height: 2 ** 53 }], next: 'ff' },
];

/** The lie that gives an answer to everything, and makes the victim ask at once. */
function garbage(answer: (dice: Dice) => Answer): Lie {
  return async (liar, telling) => {
    for (const question of QUESTIONS) liar.story.answers.set(question, answer(telling.dice));
    // Whoever hears of a block on an unknown one asks what is below it.
    return HEADER_LIES['header-unknown-parent'](liar, telling);
  };
}
