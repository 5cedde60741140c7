export { TrestleError } from '../shared/errors.js';
export type { Address, ChecksumAddress } from '../shared/model/address.js';
export { formatAddress, parseAddress } from '../shared/model/address.js';
export type { Amount } from '../shared/model/amount.js';
export { COIN, coins, formatCoins, parseCoins } from '../shared/model/amount.js';
export type { Height } from '../shared/model/height.js';
export type { BlockHash, TxId, Wtxid } from '../shared/model/ids.js';
export { describeReason, hintFor, type Reason, type ReasonCode } from '../shared/reasons.js';
export type { SubmittedBlock, TemplateView } from '../shared/rpc/blockSchemas.js';
export type { BlockChange, TransactionChange } from '../shared/rpc/events.js';
export type { Page } from '../shared/rpc/fields.js';
export type {
  AddressView,
  ChainView,
  HealthView,
  HistoryRow,
  MempoolView,
  ParamsView,
  RichEntry,
  SyncView,
  UtxoPage,
  UtxoView,
} from '../shared/rpc/infoSchemas.js';
export type { KnownNode, SelfView } from '../shared/rpc/nodeSchemas.js';
export type { SubmittedTransaction, WaitingTransaction } from '../shared/rpc/transactionSchemas.js';
export type { BlockView, InputView, OutputView, TipView, TransactionView } from '../shared/rpc/views.js';
export { VERSION } from '../shared/version.js';
export { type Client, type ClientOptions, createClient, REQUEST_TIMEOUT_MS } from './createClient.js';
export { asTrestleError, reasonOf } from './failure.js';
export { type ChainChange, type FollowOptions, followChain } from './followChain.js';
