import { HDKey } from '@scure/bip32';
import { publicKeyOf } from '../crypto/secp.js';
import { type Address, addressOfPublicKey } from '../model/address.js';

/** A key that can spend, with its address and its place in the tree. */
export interface Key {
  readonly address: Address;
  /** 32 bytes. Whoever holds them holds the money. */
  readonly secretKey: Uint8Array;
  /** BIP 32 path, such as `m/44'/60'/0'/0/0`. */
  readonly path: string;
}

/** The path of a key: BIP 44 with Ethereum's coin type, so known wallets show the same addresses for the same words. */
export function keyPath(account: number, index: number): string {
  return `m/44'/60'/${account}'/0/${index}`;
}

/** The key at one place of the tree that grows from a seed. */
export function deriveKey(seed: Uint8Array, account: number, index: number): Key {
  const path = keyPath(account, index);
  const { privateKey } = HDKey.fromMasterSeed(seed).derive(path);
  if (privateKey === null) throw new Error(`no private key at ${path}`);
  return keyFromSecret(privateKey, path);
}

/** The key of a secret, wherever it came from. */
export function keyFromSecret(secretKey: Uint8Array, path: string): Key {
  return { address: addressOfPublicKey(publicKeyOf(secretKey)), secretKey, path };
}
