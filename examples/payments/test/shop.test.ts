import { coins } from 'trestle/client';
import { simulate, walletKey } from 'trestle/testing';
import { Wallet, wordsFromEntropy } from 'trestle/wallet';
import { expect, test } from 'vitest';
import type { InvoiceStatus } from '../src/invoice.js';
import { Shop } from '../src/shop.js';

const words = wordsFromEntropy(new Uint8Array(16).fill(7));
const open = { kind: 'open', missing: coins('0.5') };
const paid = (confirmations: number) => ({ kind: 'paid', confirmations });
const confirmed = (confirmations: number) => ({ kind: 'confirmed', confirmations });

test('an invoice is paid, confirmed, un-confirmed by a reorganisation, and confirmed again', async () => {
  await using net = await simulate({ nodes: 3, seed: 1 });
  const shop = new Shop({ client: net.node(0).client, words, enough: 3 });
  const invoice = shop.invoice(coins('0.5'));
  // Blocks pay the wallet of the node that mines them. This one's owner is the customer.
  await net.mine(1, 3);
  await net.settle();
  expect(await shop.status(invoice)).toEqual(open);

  await net.send(1, invoice.address, invoice.amount);
  await net.settle();
  expect(await shop.status(invoice)).toEqual(paid(0));

  await net.mine(2, 2);
  await net.settle();
  expect(await shop.status(invoice)).toEqual(paid(2));

  await net.mine(2);
  await net.settle();
  expect(await shop.status(invoice)).toEqual(confirmed(3));

  // Four blocks that nobody knew of take the place of these three. The payment is in none of them, and waits again.
  await net.reorg({ depth: 3 });
  await net.settle();
  expect(await shop.status(invoice)).toEqual(paid(0));

  await net.mine(2, 3);
  await net.settle();
  expect(await shop.status(invoice)).toEqual(confirmed(3));
});

test('an invoice is open again when its coins were spent on a branch with more work', async () => {
  await using net = await simulate({ nodes: 3, seed: 2 });
  const shop = new Shop({ client: net.node(0).client, words, enough: 3 });
  const invoice = shop.invoice(coins('0.5'));
  await net.mine(1, 3);
  await net.settle();

  // The customer pays the shop, and on the other side of a parted network a friend, with the same coins.
  net.partition([0], [1, 2]);
  const atTheShop = new Wallet({ client: net.node(0).client, key: walletKey(1), now: () => net.now });
  await atTheShop.send({ recipients: [{ to: invoice.address, amount: invoice.amount }] });
  await net.mine(0, 3);
  expect(await shop.status(invoice)).toEqual(confirmed(3));
  await net.send(1, 2, coins('2.9'));
  await net.mine(1, 4);

  net.heal();
  await net.settle();
  expect(await shop.status(invoice)).toEqual(open);
});

test('who watches an invoice hears each change, also when the node dies in between', async () => {
  await using net = await simulate({ nodes: 3, seed: 3 });
  const shop = new Shop({ client: net.node(0).client, words, enough: 2 });
  const invoice = shop.invoice(coins('0.5'));
  const heard: InvoiceStatus[] = [];
  const stop = shop.watch(invoice, (status) => heard.push(status));
  await net.mine(1, 3);
  await net.send(1, invoice.address, invoice.amount);
  await net.settle();
  await net.crash(0);
  await net.mine(2);
  await net.restart(0);
  // Subscriptions come back by themselves, a second or so after the node.
  await net.advance(5_000);
  await net.mine(2);
  await net.settle();
  stop();
  expect(heard).toEqual([open, paid(0), paid(1), confirmed(2)]);
});
