import { isIP } from 'node:net';
import { Command } from 'commander';
import { BAN_MINUTES, type BanView, MAX_BAN_MINUTES, type PeerView } from '../../../shared/rpc/nodeSchemas.js';
import { createClient } from '../../createClient.js';
import { group, type UrlOptions, withAction } from '../command.js';
import { dataDirOption, type OperatorOptions, operatorClient } from '../operator.js';
import { urlOption, wholeNumber } from '../options.js';
import { table } from '../output.js';

/** `trestle peers`: whom a node or a directory knows, and what its operator has to say about that. */
export function peersCommand(): Command {
  const commands = [list(), sessions(), add(), remove(), ban(), unban()];
  return group('peers', 'show and manage whom a node or a directory knows', commands);
}

function list(): Command {
  const command = new Command('list').description('the nodes it has reached').addOption(urlOption());
  return withAction<UrlOptions>(command, async ({ url }, output) => {
    const { nodes } = await createClient({ url }).node.list.query();
    const rows = nodes.map(({ url: peer, lastSeen, connected, height }) => [
      peer,
      connected ? 'connected' : 'known',
      height === null ? '-' : String(height),
      lastSeen === null ? 'never' : new Date(lastSeen).toISOString(),
    ]);
    output.result({ nodes }, table([['url', 'state', 'height', 'last seen'], ...rows]));
  });
}

function sessions(): Command {
  const command = forOperators('sessions', 'the peers it is in touch with, and who is banned');
  return withAction<OperatorOptions>(command, async (options, output) => {
    const view = await (await operatorClient(options)).node.peers.query();
    const peers = [PEER_COLUMNS, ...view.peers.map(peerRow)];
    const bans = view.bans.length === 0 ? 'nobody is banned' : table([BAN_COLUMNS, ...view.bans.map(banRow)]);
    output.result(view, [view.peers.length === 0 ? 'no peers' : table(peers), '', bans].join('\n'));
  });
}

const PEER_COLUMNS = ['url', 'sought by', 'since', 'height', 'points', 'address', 'group', 'software', 'version'];

function peerRow({ url, sought, since, height, points, ...peer }: PeerView): string[] {
  const [by, at] = [sought ? 'us' : 'it', new Date(since).toISOString()];
  const { address, group, userAgent, protocol } = peer;
  return [url, by, at, String(height), String(points), address ?? '-', group, userAgent, String(protocol)];
}

const BAN_COLUMNS = ['banned', 'until', 'why'];

function banRow({ target, until, why }: BanView): string[] {
  return [target, new Date(until).toISOString(), why];
}

function add(): Command {
  const command = forOperators('add', 'seek a node, and keep it in mind until the process ends').argument('<url>');
  return withAction<OperatorOptions>(command, async (options, output, [url = '']) => {
    const added = await (await operatorClient(options)).node.add.mutate({ url });
    output.result(added, `${added.url} is sought${added.known ? '; it was known before' : ''}`);
  });
}

function remove(): Command {
  const command = forOperators('remove', 'forget a node and leave it; others may name it again').argument('<url>');
  return withAction<OperatorOptions>(command, async (options, output, [url = '']) => {
    const removed = await (await operatorClient(options)).node.remove.mutate({ url });
    const said = removed.connected ? 'has been left' : removed.known ? 'is forgotten' : 'was not known';
    output.result(removed, `${removed.url} ${said}`);
  });
}

function ban(): Command {
  const command = forOperators('ban', 'keep a node or an address out')
    .argument('<target>', 'a URL, or an IP address')
    .option('--minutes <count>', 'for how long', wholeNumber(1, MAX_BAN_MINUTES), BAN_MINUTES);
  return withAction<OperatorOptions & { minutes: number }>(command, async (options, output, [target = '']) => {
    const { minutes } = options;
    const banned = await (await operatorClient(options)).node.ban.mutate({ ...asTarget(target), minutes });
    output.result(banned, `${banned.target} is banned until ${new Date(banned.until).toISOString()}`);
  });
}

function unban(): Command {
  const command = forOperators('unban', 'let it in again').argument('<target>', 'a URL, or an IP address');
  return withAction<OperatorOptions>(command, async (options, output, [target = '']) => {
    const unbanned = await (await operatorClient(options)).node.unban.mutate(asTarget(target));
    output.result(unbanned, `${unbanned.target} ${unbanned.lifted ? 'may come in again' : 'was not banned'}`);
  });
}

function forOperators(name: string, description: string): Command {
  return new Command(name).description(description).addOption(urlOption()).addOption(dataDirOption());
}

function asTarget(text: string): { readonly address: string } | { readonly url: string } {
  return isIP(text) === 0 ? { url: text } : { address: text };
}
