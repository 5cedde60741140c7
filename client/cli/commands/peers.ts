import { Command } from 'commander';
import { createClient } from '../../createClient.js';
import { group, type UrlOptions, withAction } from '../command.js';
import { urlOption } from '../options.js';
import { table } from '../output.js';

/** `trestle peers`: whom a node or a directory knows. */
export function peersCommand(): Command {
  const command = new Command('list').description('the nodes it has reached').addOption(urlOption());
  const list = withAction<UrlOptions>(command, async ({ url }, output) => {
    const { nodes } = await createClient({ url }).node.list.query();
    const rows = nodes.map(({ url: peer, lastSeen, connected, height }) => [
      peer,
      connected ? 'connected' : 'known',
      height === null ? '-' : String(height),
      lastSeen === null ? 'never' : new Date(lastSeen).toISOString(),
    ]);
    output.result({ nodes }, table([['url', 'state', 'height', 'last seen'], ...rows]));
  });
  return group('peers', 'show whom a node or a directory knows', [list]);
}
