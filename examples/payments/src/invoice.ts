import type { ChecksumAddress, UtxoView } from 'trestle/client';

/** What a customer is asked to pay. */
export interface Invoice {
  readonly number: number;
  /** An address that no other invoice has: whatever comes there pays this one. */
  readonly address: ChecksumAddress;
  /** Base units. */
  readonly amount: bigint;
}

/** How an invoice stands. A reorganisation may take it back to any earlier state. */
export type InvoiceStatus =
  | { readonly kind: 'open'; readonly missing: bigint }
  /** Enough has been sent, but not deep enough yet: 0 confirmations while it waits for its block. */
  | { readonly kind: 'paid'; readonly confirmations: number }
  /** Deep enough: the goods may leave the house. */
  | { readonly kind: 'confirmed'; readonly confirmations: number };

/** What is known of an invoice's address, and what is asked of a payment. */
export interface Evidence {
  readonly coins: readonly UtxoView[];
  /** Of the chain that the coins were read at. */
  readonly height: number;
  /** Confirmations from which on a payment counts. */
  readonly enough: number;
}

/** Judges an invoice by the coins at its address. It remembers nothing, so there is nothing to undo after a reorganisation. */
export function statusOf({ amount }: Invoice, { coins, height, enough }: Evidence): InvoiceStatus {
  const depthOf = (coin: UtxoView): number => (coin.height === null ? 0 : height - coin.height + 1);
  let received = 0n;
  // The deepest first: the payment is as deep as the coin that completes it.
  for (const coin of coins.toSorted((a, b) => depthOf(b) - depthOf(a))) {
    received += coin.value;
    if (received < amount) continue;
    const confirmations = depthOf(coin);
    return { kind: confirmations >= enough ? 'confirmed' : 'paid', confirmations };
  }
  return { kind: 'open', missing: amount - received };
}
