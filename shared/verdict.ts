/**
 * The outcome of judging data that someone else made. Bad data is a value, so that every caller must look at it;
 * only a broken machine (a full disk, a bug of ours) throws.
 */
export type Verdict<T, R> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reject: R };

/** The data passed: here is what the check made of it. */
export function accept<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** The data failed: here is the rule it broke, with the figures. */
export function refuse<R>(reject: R): { readonly ok: false; readonly reject: R } {
  return { ok: false, reject };
}
