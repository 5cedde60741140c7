export { TrestleError } from '../shared/errors.js';
export { formatAddress, parseAddress } from '../shared/model/address.js';
export { COIN, formatCoins, parseCoins } from '../shared/model/amount.js';
export { describeReason, hintFor, type Reason, type ReasonCode } from '../shared/reasons.js';
export { type Client, type ClientOptions, createClient, REQUEST_TIMEOUT_MS } from './createClient.js';
export { asTrestleError, reasonOf } from './failure.js';
export { type ChainChange, type FollowOptions, followChain } from './followChain.js';
