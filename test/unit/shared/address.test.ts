import fc from 'fast-check';
import { expect, test } from 'vitest';
import { publicKeyOf } from '../../../shared/crypto/secp.js';
import {
  addressBytes,
  addressFromBytes,
  addressOfPublicKey,
  formatAddress,
  parseAddress,
} from '../../../shared/model/address.js';
import { present } from '../../kit/assertOk.js';

/** The checksum examples of EIP-55. */
const EIP_55 = [
  '0x52908400098527886E0F7030069857D2E4169EE7',
  '0x8617E340B3D01FA5F11F306F4090FD50E238070D',
  '0xde709f2102306220921060314715629080e2fb77',
  '0x27b1fdb04752bbc536007a920d24acb045561c26',
  '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
  '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
  '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
  '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
];

test.each(EIP_55)('%s is shown and read with its checksum, and read without', (text) => {
  const address = present(parseAddress(text));
  expect(formatAddress(address)).toBe(text);
  expect(parseAddress(text.toLowerCase())).toBe(address);
});

test('one letter in the wrong case is refused', () => {
  expect(parseAddress('0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed')).toBeUndefined();
});

test.each([
  ['0x'],
  [''],
  ['5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'],
  ['0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe'],
  ['0X27b1fdb04752bbc536007a920d24acb045561c26'],
  [' 0x27b1fdb04752bbc536007a920d24acb045561c26'],
])('%j is no address', (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test('bytes and text go into each other', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
      const address = addressFromBytes(bytes);
      expect(addressBytes(address)).toEqual(bytes);
      expect(parseAddress(formatAddress(address))).toBe(address);
    }),
  );
});

test('the address of secret key 1 is the one every Ethereum library gives', () => {
  const secret = new Uint8Array(32);
  secret[31] = 1;
  expect(formatAddress(addressOfPublicKey(publicKeyOf(secret)))).toBe('0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf');
});

test('an address is 20 bytes, and made from a public key of 65', () => {
  for (const length of [0, 19, 21]) expect(() => addressFromBytes(new Uint8Array(length))).toThrow(RangeError);
  for (const length of [0, 33, 64, 66]) expect(() => addressOfPublicKey(new Uint8Array(length))).toThrow(RangeError);
});

test.each([
  ['0x27b1fdb04752bbc536007a920d24acb045561c26 '],
  ['0x27b1fdb04752bbc536007a920d24acb045561c260'],
  ['0x27b1fdb04752bbc536007a920d24acb045561c2g'],
  ['0x27B1FDB04752BBC536007A920D24ACB045561C26'],
  ['x0x27b1fdb04752bbc536007a920d24acb045561c26'],
])('%j is no address, by length, letters or case', (text) => {
  expect(parseAddress(text)).toBeUndefined();
});
