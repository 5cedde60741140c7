import { toBase64 } from '../../shared/bytes/base64.js';
import { checkHeader, checkMinimumWork } from '../../shared/consensus/checkHeader.js';
import type { HEADER_CODES } from '../../shared/consensus/reject.js';
import type { HeaderFields } from '../../shared/model/header.js';
import { sealHeader } from '../../shared/model/header.js';
import { toHeight } from '../../shared/model/height.js';
import type { Reason } from '../../shared/reasons.js';
import { assertRefused, present } from '../kit/assertOk.js';
import { mine, testKey } from '../kit/builders.js';
import { TestChain } from '../kit/testChain.js';
import { failureFrom } from '../support/failureFrom.js';
import { peerOf } from '../support/peerOf.js';
import { testNode } from '../support/testNode.js';

const chain = new TestChain();
const { params } = chain;
const grown = chain.grow(chain.genesis, 12);
const parent = grown.at(-1) ?? chain.genesis;
const context = chain.contextOf(parent);
const good = chain.extend(parent).header;
const now = good.timestamp;

/** The verdict on a good header with one change. */
function judge(change: Partial<HeaderFields>, at: typeof context | undefined = context): Reason {
  return assertRefused(checkHeader(mine({ ...good, ...change }), at, { params, now }));
}

/** For each rule of headers, something that breaks it and nothing before it. */
export const headerCases: Record<keyof typeof HEADER_CODES, () => Reason | Promise<Reason>> = {
  'header-malformed': async () => {
    await using node = await testNode();
    const peer = await peerOf(node);
    return await failureFrom(peer.block.announce.mutate({ header: toBase64(new Uint8Array(91)) }));
  },
  'header-version': () => judge({ version: 2 }),
  'header-parent-unknown': () => assertRefused(checkHeader(good, undefined, { params, now })),
  'header-parent-invalid': () => judge({}, { ...context, invalid: true }),
  'header-set-aside': async () => {
    await using node = await testNode();
    const { hashes } = await node.client.block.generate.mutate({ address: testKey(1).address, count: 2 });
    const block = present(hashes[1]);
    const { raw } = await node.client.block.raw.query({ block });
    await node.client.block.invalidate.mutate({ block });
    return await failureFrom(node.client.block.submit.mutate({ block: raw }));
  },
  'header-height': () => judge({ height: toHeight(good.height + 1) }),
  'header-time-old': () => judge({ timestamp: [...context.recentTimes].sort((a, b) => a - b)[5] ?? 0 }),
  'header-time-future': () => judge({ timestamp: now + 120_000 + params.blockInterval + 1 }),
  'header-bits': () => judge({ bits: 0x207ffffe }),
  'header-work': () => {
    for (let nonce = 0n; ; nonce++) {
      const verdict = checkHeader(sealHeader({ ...good, nonce }), context, { params, now });
      if (!verdict.ok) return verdict.reject;
    }
  },
  'header-minimum-work': () =>
    assertRefused(checkMinimumWork(2n, { minimumWork: 0n, tipWork: 2n * 147n, tipBits: params.genesisBits })),
};
