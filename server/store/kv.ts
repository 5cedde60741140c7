/** One change of a batch. A value of no bytes is a value; removing what is not there is no error. */
export type Write =
  | { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'remove'; readonly key: Uint8Array };

/** Keys from `gte` up to but not with `lt`, in byte order. */
export interface KeyRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  readonly reverse?: boolean | undefined;
  readonly limit?: number | undefined;
}

/** A key and its value. */
export type Entry = readonly [key: Uint8Array, value: Uint8Array];

/**
 * Storage: ordered byte strings. One suite holds every engine to the same behaviour (`test/support/kvSuite`).
 *
 * A commit is seen by reads from the moment its promise settles, whole or not at all, and is then as durable as the
 * engine ever makes it. A commit that fails changes nothing.
 */
export interface Kv {
  get(key: Uint8Array): Uint8Array | undefined;
  range(range: KeyRange): Iterable<Entry>;
  commit(batch: readonly Write[]): Promise<void>;
  close(): Promise<void>;
}
