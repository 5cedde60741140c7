import { nothing } from './fields.js';
import type { PeerContext } from './nodeApi.js';
import {
  confirmInput,
  confirmOutput,
  helloInput,
  helloOutput,
  listOutput,
  pingOutput,
  randomInput,
  randomOutput,
  selfOutput,
  stopOutput,
} from './nodeSchemas.js';
import { procedures } from './trpc.js';

const { router, open, operator } = procedures<PeerContext>();

/** Nodes: who is there and how they meet. A directory server answers this router and nothing else. */
export const nodeRouter = router({
  /** What this node is. */
  self: open
    .input(nothing)
    .output(selfOutput)
    .query(({ ctx }) => ctx.node.peer.self()),
  /** The nodes it knows and has reached itself, most recently seen first. */
  list: open
    .input(nothing)
    .output(listOutput)
    .query(({ ctx }) => ctx.node.peer.list()),
  /** Some of them, drawn at random. */
  random: open
    .input(randomInput)
    .output(randomOutput)
    .query(({ ctx, input }) => ctx.node.peer.random(input)),
  /** Whether it lives, and its tip. */
  ping: open
    .input(nothing)
    .output(pingOutput)
    .query(({ ctx }) => ctx.node.peer.ping()),
  /** Opens a session. */
  hello: open
    .input(helloInput)
    .output(helloOutput)
    .mutation(({ ctx, input }) => ctx.node.peer.hello(input, ctx.caller)),
  /** Asked back at the URL that a hello named: was it you? */
  confirm: open
    .input(confirmInput)
    .output(confirmOutput)
    .query(({ ctx, input }) => ctx.node.peer.confirm(input)),
  /** Stops the node, in order. */
  stop: operator
    .input(nothing)
    .output(stopOutput)
    .mutation(({ ctx }) => ctx.node.peer.stop()),
});
