import type { Reason } from '../../../../shared/reasons.js';
import { failureEnvelope, successEnvelope } from '../../envelopes.js';
import type { WireResponse } from '../wire.js';

/** What somebody answers to a call, right or wrong. */
export type Answer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'failure'; readonly reason: Reason }
  /** Whatever stands there in the place of an answer: a page for people, half a sentence. */
  | { readonly kind: 'text'; readonly text: string }
  /** None, ever: whoever asks waits until its patience ends. */
  | { readonly kind: 'silence' };

/** An answer, or how it follows from the input; `undefined` where there is nothing to lie about. */
export type Teller = Answer | ((input: unknown) => Answer | undefined);

/** Answers nothing. */
export const SILENCE: Answer = { kind: 'silence' };

/** Answers a value, as the contract has it or not. */
export function value(value: unknown): Answer {
  return { kind: 'value', value };
}

/** Answers that there is no such thing here. */
export const ABSENT: Answer = { kind: 'failure', reason: { code: 'not-found', detail: 'there is no such thing here' } };

/** Puts an answer into the form in which nodes send theirs. Silence never settles. */
export function respond(answer: Answer): Promise<WireResponse> {
  switch (answer.kind) {
    case 'value':
      return sent(200, successEnvelope(answer.value));
    case 'failure':
      return sent(400, failureEnvelope(answer.reason));
    case 'text':
      return Promise.resolve({ status: 200, body: answer.text });
    case 'silence':
      return new Promise(() => {});
  }
}

function sent(status: number, envelope: object): Promise<WireResponse> {
  return Promise.resolve({ status, body: JSON.stringify(envelope) });
}
