import { hashParams } from '../crypto/hash.js';
import { type Block, rootOfTransactions, sealBlock } from '../model/block.js';
import { EXTRA_TAGS, encodeExtra } from '../model/extra.js';
import { sealHeader } from '../model/header.js';
import { GENESIS_HEIGHT } from '../model/height.js';
import { idFromBytes } from '../model/ids.js';
import { type CoinbaseBody, sealTransaction, TRANSACTION_VERSION } from '../model/transaction.js';
import { encodeConsensusParams, type NetworkParams } from './params.js';

/**
 * Block 0, a pure function of the parameters: one coinbase that makes nothing and carries their digest. Its hash is the
 * network's identity. It stands at the dawn of time and needs no work: the difficulty rule starts from block 1.
 */
export function genesisBlock(params: NetworkParams): Block {
  const coinbase: CoinbaseBody = {
    kind: 'coinbase',
    version: TRANSACTION_VERSION,
    timestamp: 0,
    height: GENESIS_HEIGHT,
    extra: encodeExtra([{ tag: EXTRA_TAGS.params, value: hashParams(encodeConsensusParams(params)) }]),
    outputs: [],
    memo: new Uint8Array(0),
  };
  const transactions = [sealTransaction(coinbase, [])];
  const header = sealHeader({
    version: 1,
    height: GENESIS_HEIGHT,
    previous: idFromBytes(new Uint8Array(32)),
    merkleRoot: rootOfTransactions(transactions),
    timestamp: 0,
    bits: params.genesisBits,
    nonce: 0n,
  });
  return sealBlock(header, transactions);
}
