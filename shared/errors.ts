import { describeReason, hintFor, type Reason, type ReasonCode } from './reasons.js';

/**
 * An expected failure on its way to whoever asked: a call that could not be answered, a store that could not be opened.
 * It carries its reason as data. Rules never throw it; they return the reason.
 */
export class TrestleError extends Error {
  override readonly name = 'TrestleError';
  readonly reason: Reason;

  constructor(reason: Reason, options?: { readonly cause?: unknown }) {
    super(describeReason(reason), options);
    this.reason = reason;
  }

  /** The stable code. */
  get code(): ReasonCode {
    return this.reason.code;
  }

  /** What to do next, where there is something to say. */
  get hint(): string | undefined {
    return hintFor(this.reason.code);
  }
}
