import type { Client } from 'trestle/client';

/** No balance that more than half of the nodes name. */
export class NoAgreement extends Error {}

/**
 * The balance of an address that more than half of the nodes name, in base units. So one that is down, behind or on a
 * branch of its own is outvoted. Throws `NoAgreement` where there is none: ask again later.
 */
export async function agreedBalance(clients: readonly Client[], address: string): Promise<bigint> {
  const answers = await Promise.allSettled(clients.map((client) => client.info.address.query({ address })));
  const votes = new Map<bigint, number>();
  for (const answer of answers) {
    if (answer.status === 'rejected') continue;
    const { balance } = answer.value;
    votes.set(balance, (votes.get(balance) ?? 0) + 1);
  }
  for (const [balance, count] of votes) if (count > clients.length / 2) return balance;
  throw new NoAgreement(`no balance of ${address} that more than half of ${clients.length} nodes name`);
}
