import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPrivateAddress, plainAddress } from '../../../server/net/addressPolicy.js';
import { groupOf, groupOfAddress, isPublicGroup } from '../../../server/net/netGroup.js';
import { hostOf, parsePeerUrl } from '../../../server/net/peerUrl.js';
import { present } from '../../kit/assertOk.js';

const group = (text: string): string => groupOf(present(parsePeerUrl(text)));

describe('network groups', () => {
  test.each([
    ['http://1.2.3.4:42021', 'v4:1.2'],
    ['https://1.2.200.9', 'v4:1.2'],
    ['http://[::ffff:1.2.3.4]:1', 'v4:1.2'],
    ['http://[2606:4700:10::1]:1', 'v6:2606:4700'],
    ['http://[2606::1]:1', 'v6:2606:0'],
    ['http://[2606:4700::]:1', 'v6:2606:4700'],
    ['http://node.example.org:1', 'name:example.org'],
    ['http://a.b.c.example.org:2', 'name:example.org'],
    ['http://10.0.0.1:5', 'private:10.0.0.1:5'],
    ['http://[fd00::1]:5', 'private:[fd00::1]:5'],
    ['http://localhost:5', 'private:localhost:5'],
    ['http://miner.local:5', 'private:miner.local:5'],
    ['http://box:5', 'private:box:5'],
  ])('%s is of %s', (text, expected) => {
    expect(group(text)).toBe(expected);
    expect(isPublicGroup(group(text))).toBe(!expected.startsWith('private:'));
  });

  test.each([
    ['::ffff:8.8.4.4', 'v4:8.8'],
    ['::FFFF:808:404', 'v4:8.8'],
    ['2606:4700::1%eth0', 'v6:2606:4700'],
    ['fe80::1%eth0', 'private:fe80::1'],
  ])('a caller at %s is of %s', (address, expected) => {
    expect(groupOfAddress(address)).toBe(expected);
  });

  test('a public address is of the group of all that share its first bits, and of no other', () => {
    const first = fc.integer({ min: 1, max: 223 });
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(first, byte, byte, byte), ([a, b, c, d]) => {
        fc.pre(!isPrivateAddress(`${a}.${b}.${c}.${d}`));
        expect(group(`http://${a}.${b}.${c}.${d}:1`)).toBe(`v4:${a}.${b}`);
      }),
    );
    const part = fc.integer({ min: 0x2400, max: 0x2fff });
    fc.assert(
      fc.property(fc.tuple(part, byte, byte), ([a, b, d]) => {
        const expected = `v6:${a.toString(16)}:${b.toString(16)}`;
        expect(group(`http://[${a.toString(16)}:${b.toString(16)}::${d.toString(16)}]:1`)).toBe(expected);
      }),
    );
  });
});

describe('what is called at all (server-side request forgery)', () => {
  const octets = fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 255 })));
  /** Spellings of one IPv4 address that URLs, sockets and resolvers know. */
  const spellings: Readonly<Record<string, (octets: readonly number[]) => string>> = {
    dotted: (o) => o.join('.'),
    octal: (o) => o.map((n) => `0${n.toString(8)}`).join('.'),
    hexadecimal: (o) => o.map((n) => `0x${n.toString(16)}`).join('.'),
    'one number': (o) => String(numberOf(o)),
    'one hexadecimal number': (o) => `0x${numberOf(o).toString(16)}`,
    'two parts': ([a = 0, ...rest]) => `${a}.${numberOf([0, ...rest])}`,
    'a dot at the end': (o) => `${o.join('.')}.`,
    'full width': (o) => o.join('.').replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)),
    mapped: (o) => `[::ffff:${o.join('.')}]`,
    'mapped in hex': (o) => `[::ffff:${hex(o.slice(0, 2))}:${hex(o.slice(2))}]`,
    'mapped at length': (o) => `[0:0:0:0:0:FFFF:${hex(o.slice(0, 2))}:${hex(o.slice(2))}]`,
  };
  const numberOf = (o: readonly number[]): number => o.reduce((sum, n) => sum * 256 + n, 0);
  const hex = ([high = 0, low = 0]: readonly number[]): string => (high * 256 + low).toString(16);

  test.each(Object.entries(spellings))('an IPv4 address is judged alike however it is written: %s', (_name, spell) => {
    const leading = fc.constantFrom([10], [127], [169, 254], [172, 16], [192, 168], [0], [100, 64], []);
    fc.assert(
      fc.property(octets, leading, (drawn, start) => {
        const address = [...start, ...drawn].slice(0, 4);
        const url = parsePeerUrl(`http://${spell(address)}:80`);
        if (url === undefined) return;
        expect(isPrivateAddress(hostOf(url))).toBe(isPrivateAddress(address.join('.')));
        expect(plainAddress(hostOf(url))).toBe(address.join('.'));
      }),
    );
  });

  test('what the old tunnels and translators carry is private, whatever is inside', () => {
    for (const address of [
      '2002:7f00:1::',
      '2001:0:1::1',
      '64:ff9b::a00:1',
      '64:ff9b:1::a00:1',
      '::ffff:0:a00:1',
      '::a00:1',
    ])
      expect(isPrivateAddress(address), address).toBe(true);
  });

  test('whatever text somebody hands on, what is taken is one plain host and port, and reads the same again', () => {
    const piece = fc.constantFrom(
      ...[
        'http://',
        'https://',
        'HTTP:',
        '//',
        '@',
        ':',
        '/',
        '\\',
        '?',
        '#',
        '.',
        '..',
        '%',
        '%2e',
        '%00',
        '\t',
        '\n',
      ],
      ...[
        '127.0.0.1',
        '0177.1',
        '169.254.169.254',
        'a',
        'example.org',
        '[::1]',
        '[fe80::1%25eth0]',
        '80',
        '0',
        '99999',
      ],
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      fc.array(piece, { maxLength: 5 }).map((pieces) => `http://${pieces.join('')}`),
      fc.webUrl({ withFragments: true, withQueryParameters: true }),
    );
    fc.assert(
      fc.property(text, (given) => {
        const url = parsePeerUrl(given);
        if (url === undefined) return;
        expect(url).toMatch(/^https?:\/\/(?:\[[0-9a-f:]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*):[1-9][0-9]*$/);
        expect(parsePeerUrl(url)).toBe(url);
        expect(given).not.toMatch(/[@?#\\\s]/);
        // Digits at the end are an address for everybody, or nothing.
        if (/(?:^|\.)[0-9]+$/.test(hostOf(url))) expect(isIP(hostOf(url))).toBe(4);
      }),
      { numRuns: 3_000 },
    );
  });
});
