import { test } from 'node:test';
import { launch, simulate } from 'trestle/testing';
import { scenario } from './scenario.js';

test('the balance that most nodes name, with real processes over HTTP, in real time', async () => {
  await using net = await launch({ nodes: 3 });
  await scenario(net);
});

test('the same in this process, on virtual time', async () => {
  await using net = await simulate({ nodes: 3, seed: 1 });
  await scenario(net);
});
