/** The native half of the `secp256k1` package, as far as we use it. Loading it throws where no prebuilt binary fits. */
declare module 'secp256k1/bindings.js' {
  const bindings: {
    /** Throws when the signature cannot be parsed or recovers no key. */
    ecdsaRecover(signature: Uint8Array, recovery: number, digest: Uint8Array, compressed: boolean): Uint8Array;
  };
  export default bindings;
}
