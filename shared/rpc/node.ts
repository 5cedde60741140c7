import { nothing } from './fields.js';
import type { PeerContext } from './nodeApi.js';
import {
  addInput,
  addOutput,
  banInput,
  banView,
  confirmInput,
  confirmOutput,
  helloInput,
  helloOutput,
  listOutput,
  peersOutput,
  pingOutput,
  randomInput,
  randomOutput,
  removeInput,
  removeOutput,
  selfOutput,
  stopOutput,
  unbanInput,
  unbanOutput,
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
  /** Takes a node into the book, where it stays until this process ends, and seeks a session with it. */
  add: operator
    .input(addInput)
    .output(addOutput)
    .mutation(({ ctx, input }) => ctx.node.peer.add(input)),
  /** Takes a node out of the book and leaves it. Others may name it again: a ban keeps it out. */
  remove: operator
    .input(removeInput)
    .output(removeOutput)
    .mutation(({ ctx, input }) => ctx.node.peer.remove(input)),
  /** Keeps a node or an address out for a while, also over a restart. */
  ban: operator
    .input(banInput)
    .output(banView)
    .mutation(({ ctx, input }) => ctx.node.peer.ban(input)),
  /** Lets it in again, and holds nothing against it. */
  unban: operator
    .input(unbanInput)
    .output(unbanOutput)
    .mutation(({ ctx, input }) => ctx.node.peer.unban(input)),
  /** The nodes there is a session with, and who is kept out. */
  peers: operator
    .input(nothing)
    .output(peersOutput)
    .query(({ ctx }) => ctx.node.peer.peers()),
  /** Stops the node, in order. */
  stop: operator
    .input(nothing)
    .output(stopOutput)
    .mutation(({ ctx }) => ctx.node.peer.stop()),
});
