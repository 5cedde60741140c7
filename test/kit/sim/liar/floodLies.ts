import type { Client } from '../../../../client/createClient.js';
import { toBase64 } from '../../../../shared/bytes/base64.js';
import { encodeHeader } from '../../../../shared/model/header.js';
import { type BlockHash, idFromBytes, type Wtxid } from '../../../../shared/model/ids.js';
import { sealTransaction } from '../../../../shared/model/transaction.js';
import { Forge } from './forge.js';
import { junkSignature } from './junkSignature.js';
import type { Lie } from './lie.js';

/** Calls of one flood: enough to be a nuisance, few enough for a test. */
const CALLS = 60;
/** Names in an announcement. */
const NAMES = 20;

/** A lot of nothing, all at once. */
export const FLOOD_LIES = {
  /** Names of transactions that do not exist. */
  'flood-announcements': flood(({ dice }) => {
    const wtxids = Array.from({ length: NAMES }, () => idFromBytes<Wtxid>(dice.bytes(32)));
    return (client) => client.transaction.announce.mutate({ wtxids });
  }),
  /** Headers on blocks that nobody knows: each is a reason to ask what is below it. */
  'flood-headers': flood(({ dice, parent }) => {
    const previous = idFromBytes<BlockHash>(dice.bytes(32));
    const header = toBase64(encodeHeader({ ...parent.header, previous }));
    return (client) => client.block.announce.mutate({ header });
  }),
  /** Bytes that are no transactions, and transactions that are as good as none. */
  'flood-transactions': flood((forge) => {
    const transaction = toBase64(junkTransaction(forge));
    return (client) => client.transaction.submit.mutate({ transaction });
  }),
} satisfies Record<string, Lie>;

/** The lie that makes many calls at once. It is told once all have been answered, with whatever. */
function flood(next: (forge: Forge) => (client: Client) => Promise<unknown>): Lie {
  return async (liar, telling) => {
    const forge = Forge.on(liar, telling);
    if (forge === undefined) return false;
    const calls = Array.from({ length: CALLS }, () => liar.tell(telling.victim, next(forge)));
    await Promise.all(calls);
    return true;
  };
}

function junkTransaction(forge: Forge): Uint8Array {
  const { dice } = forge;
  const coin = forge.othersCoin();
  const nothing = forge.coinOf(forge.coinbase());
  switch (dice.below(4)) {
    case 0:
      return dice.bytes(1 + dice.below(300));
    case 1:
      return forge.pay(nothing, 1n + BigInt(dice.below(1_000_000))).raw;
    case 2:
      return forge.coinbase().raw;
    default: {
      const { body } = forge.steal(coin ?? nothing);
      return sealTransaction(body, [junkSignature(dice)]).raw;
    }
  }
}
