import { inputsOf, type Transaction } from '../../shared/model/transaction.js';

/**
 * Bytes of memory that a waiting transaction takes beside its own bytes, measured on pools of 20,000 (`bench/README.md`):
 * decoded form, names, and its places in every index; for each input its coin and the index of who spends it; for each
 * output its address and the index of who is paid.
 */
const BASE_BYTES = 2_000;
const INPUT_BYTES = 600;
const OUTPUT_BYTES = 400;
const SIGNATURE_BYTES = 200;

/** How much memory a waiting transaction takes, about: what a limit on memory has to count, for raw bytes are the least of it. */
export function usageOf(transaction: Transaction): number {
  const { raw, body, signatures } = transaction;
  return (
    BASE_BYTES +
    raw.length +
    INPUT_BYTES * inputsOf(transaction).length +
    OUTPUT_BYTES * body.outputs.length +
    SIGNATURE_BYTES * signatures.length
  );
}
