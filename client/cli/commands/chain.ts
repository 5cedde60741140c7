import { Command } from 'commander';
import { formatCoins } from '../../../shared/model/amount.js';
import type { BlockView } from '../../../shared/rpc/views.js';
import { createClient } from '../../createClient.js';
import { group, type UrlOptions, withAction } from '../command.js';
import { parseBid, urlOption, wholeNumber } from '../options.js';
import { table } from '../output.js';

/** `trestle chain`: what the chain holds. `more` are the commands of other parts that belong here. */
export function chainCommand(more: readonly Command[] = []): Command {
  return group('chain', 'show what the chain holds', [info(), block(), blocks(), rich(), ...more]);
}

function info(): Command {
  const command = new Command('info').description('the chain at a glance').addOption(urlOption());
  return withAction<UrlOptions>(command, async ({ url }, output) => {
    const chain = await createClient({ url }).info.chain.query();
    const rows = [
      ['network', chain.name],
      ['height', String(chain.height)],
      ['tip', chain.tip],
      ['transactions', String(chain.totalTransactions)],
      ['addresses', String(chain.totalAddresses)],
      ['supply', formatCoins(chain.supply)],
      ['block time', `${chain.blockTime} s`],
      ['block reward', formatCoins(chain.blockReward)],
      ['difficulty', String(chain.difficulty)],
    ];
    const rich = chain.richList.map(({ address, balance }) => [address, formatCoins(balance)]);
    output.result(chain, [table(rows), '', 'richest addresses', table(rich)].join('\n'));
  });
}

function block(): Command {
  const command = new Command('block')
    .description('one block')
    .argument('[block]', 'height, hash or "last" (default: "last")')
    .addOption(urlOption());
  return withAction<UrlOptions>(command, async ({ url }, output, [block = 'last']) => {
    const view = await createClient({ url }).block.get.query({ block: parseBid(block) });
    const rows = Object.entries(view).map(([name, value]) => [name, String(value)]);
    output.result(view, table(rows));
  });
}

function blocks(): Command {
  const command = new Command('blocks')
    .description('the latest blocks')
    .option('--limit <count>', 'how many', wholeNumber(1, 100), 20)
    .addOption(urlOption());
  return withAction<UrlOptions & { limit: number }>(command, async ({ url, limit }, output) => {
    const { items } = await createClient({ url }).block.list.query({ limit });
    output.result(
      { blocks: items },
      table([['height', 'hash', 'time', 'transactions', 'size'], ...items.map(blockRow)]),
    );
  });
}

function blockRow({ height, hash, timestamp, transactionCount, size }: BlockView): string[] {
  return [String(height), hash, new Date(timestamp).toISOString(), String(transactionCount), String(size)];
}

function rich(): Command {
  const command = new Command('rich')
    .description('the richest addresses')
    .option('--limit <count>', 'how many', wholeNumber(1, 100), 20)
    .addOption(urlOption());
  return withAction<UrlOptions & { limit: number }>(command, async ({ url, limit }, output) => {
    const { items } = await createClient({ url }).info.richList.query({ limit });
    const rows = items.map(({ address, balance }) => [address, formatCoins(balance)]);
    output.result({ richList: items }, table([['address', 'coins'], ...rows]));
  });
}
