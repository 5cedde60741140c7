import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import { testSignatures } from '../support/memoryChain.js';
import { emptyTally, runChain } from './driver.js';

/** One thread of the oracle: gets numbers of chains, answers with what they came to. */
const { seed } = z.object({ seed: z.number() }).parse(workerData);
const port = parentPort;
if (port === null) throw new Error('this file runs as a worker of main.js');
const signatures = await testSignatures();

port.on('message', (message: unknown) => {
  const { from, to } = z.object({ from: z.number(), to: z.number() }).parse(message);
  void (async () => {
    const tally = emptyTally();
    for (let chain = from; chain < to; chain++) await runChain({ seed, chain }, { tally, signatures });
    port.postMessage(tally);
  })();
});
