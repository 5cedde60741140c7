export { deriveKey, type Key, keyPath } from '../../shared/wallet/keys.js';
export { entropyOf, parseWords, seedOf, type Words, wordsFromEntropy } from '../../shared/wallet/words.js';
export { type Recipient, type SendOptions, Wallet, type WalletBalance, type WalletOptions } from './wallet.js';
