export { type MerkleProof, merklePath, merkleRoot, verifyMerkleProof } from '../crypto/merkle.js';
export { nobleEngine, publicKeyOf, signDigest } from '../crypto/secp.js';
export { type RecoveryEngine, recoverOwner } from '../crypto/signature.js';
export { type Address, addressOfPublicKey, formatAddress, parseAddress } from '../model/address.js';
export { type Amount, parseAmount, toAmount } from '../model/amount.js';
export { type Block, decodeBlock, rootOfTransactions, sealBlock } from '../model/block.js';
export { decodeHeader, encodeHeader, type Header, type HeaderFields, sealHeader } from '../model/header.js';
export { type Height, toHeight } from '../model/height.js';
export { type BlockHash, parseId, type TxId, type Wtxid } from '../model/ids.js';
export { type OutPoint, type OutPointKey, outPointKey } from '../model/outpoint.js';
export {
  type CoinbaseBody,
  decodeTransaction,
  encodeBody,
  type Output,
  sealTransaction,
  type Transaction,
  type TransactionBody,
  type TransferBody,
} from '../model/transaction.js';
export { accept, refuse, type Verdict } from '../verdict.js';
export { signTransfer } from '../wallet/signTransfer.js';
export { checkBlock, checkBody } from './checkBlock.js';
export { checkHeader, checkMinimumWork, expectedBits, medianTime, type ParentContext } from './checkHeader.js';
export { type CheckedInputs, checkInputs, checkSignatures, type SignatureCheck, sighash } from './checkInputs.js';
export { checkTransfer } from './checkTransaction.js';
export type { Coin, CoinView, LocatedCoin } from './coins.js';
export { type Connection, connectBlock } from './connectBlock.js';
export { genesisBlock } from './genesis.js';
export { isNetworkName, NETWORKS, type NetworkName } from './networks.js';
export { type NetworkFile, type NetworkParams, parseNetwork } from './params.js';
export {
  BLOCK_CODES,
  type BlockReject,
  HEADER_CODES,
  type HeaderReject,
  type Reject,
  TX_CODES,
  type TxReject,
} from './reject.js';
export { asertBits, asertTarget } from './retarget.js';
export { subsidyAt } from './subsidy.js';
export { bitsFromTarget, difficultyOf, hashAsNumber, targetFromBits, workOfTarget } from './target.js';
