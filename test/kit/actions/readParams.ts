import type { Client } from '../../../client/createClient.js';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import type { NetworkParams } from '../../../shared/consensus/params.js';
import { targetFromBits } from '../../../shared/consensus/target.js';
import { present } from '../assertOk.js';

/** The figures of the network that a node is on, by its own word, held against its genesis, which is a digest of them. */
export async function readParams(client: Client): Promise<NetworkParams> {
  const { genesis, blockIntervalMs, halfLifeMs, minFeeRate: _policy, ...rest } = await client.info.params.query();
  const params: NetworkParams = {
    ...rest,
    blockInterval: blockIntervalMs,
    halfLife: halfLifeMs,
    limit: present(targetFromBits(rest.genesisBits)),
    // No rule asks for it, and so no call names it.
    nodePort: 0,
  };
  const { hash } = genesisBlock(params).header;
  if (hash === genesis) return params;
  throw new Error(
    `the node names the genesis ${genesis}, but the figures it names make ${hash}: use the test kit of the node's own version`,
  );
}
