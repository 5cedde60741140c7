import { createClient } from '../../client/createClient.js';
import type { Peer } from '../../server/net/peer.js';
import { requirePeerUrl } from '../../server/ownUrl.js';
import { genesisBlock } from '../../shared/consensus/genesis.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { toHeight } from '../../shared/model/height.js';

/** A peer that is there, and that nobody calls. */
export function idlePeer(number: number): Peer {
  const url = requirePeerUrl(`http://10.0.0.${number}:42221`);
  const tip = { height: toHeight(0), hash: genesisBlock(NETWORKS.dev).header.hash, work: 2n };
  return {
    ...{ url, client: createClient({ url }), tip, reachesUs: true, protocol: 2, contract: null, userAgent: 'idle' },
    ...{ capabilities: new Set(), sought: true, since: 0, sinceTick: 0, missed: 0, usefulAt: null },
  };
}
