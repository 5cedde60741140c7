import { Command } from 'commander';
import { formatCoins } from '../../../shared/model/amount.js';
import { parseId, type TxId } from '../../../shared/model/ids.js';
import { MAX_FEE_TARGET } from '../../../shared/rpc/insightSchemas.js';
import { createClient } from '../../createClient.js';
import { group, type UrlOptions, withAction } from '../command.js';
import { describeEstimate, describeExplanation, describeStatus } from '../insight.js';
import { urlOption, wholeNumber } from '../options.js';
import { table, UsageError } from '../output.js';

/** `trestle tx`: transactions. */
export function txCommand(): Command {
  return group('tx', 'show and send transactions', [get(), list(), status(), submit(), explain(), fee()]);
}

function get(): Command {
  const command = new Command('get')
    .description('one transaction, waiting or confirmed')
    .argument('<txid>', 'its id')
    .addOption(urlOption());
  return withAction<UrlOptions>(command, async ({ url }, output, [txid = '']) => {
    const view = await createClient({ url }).transaction.get.query({ txid: parseTxid(txid) });
    const { block } = view;
    const rows = [
      ['txid', view.txid],
      ['status', block === null ? 'waiting' : `confirmed in block ${block.height} (${block.confirmations} deep)`],
      ['kind', view.kind],
      ['value', formatCoins(view.value)],
      ['fee', view.fee === null ? '-' : formatCoins(view.fee)],
      ['size', `${view.size} bytes`],
      ...view.inputs.map(({ address, value }) => [
        'from',
        `${address ?? '?'} ${value === null ? '?' : formatCoins(value)}`,
      ]),
      ...view.outputs.map(({ address, value }) => ['to', `${address} ${formatCoins(value)}`]),
    ];
    output.result(view, table(rows));
  });
}

function list(): Command {
  const command = new Command('list')
    .description('the waiting transactions, newest first')
    .option('--limit <count>', 'how many', wholeNumber(1, 100), 20)
    .addOption(urlOption());
  return withAction<UrlOptions & { limit: number }>(command, async ({ url, limit }, output) => {
    const { items } = await createClient({ url }).transaction.list.query({ limit });
    const rows = items.map(({ txid, value, fee, size }) => [txid, formatCoins(value), formatCoins(fee), String(size)]);
    output.result({ transactions: items }, table([['txid', 'value', 'fee', 'size'], ...rows]));
  });
}

function submit(): Command {
  const command = new Command('submit')
    .description('send a signed transaction')
    .argument('<base64>', 'its bytes, in base64')
    .addOption(urlOption());
  return withAction<UrlOptions>(command, async ({ url }, output, [transaction = '']) => {
    const sent = await createClient({ url }).transaction.submit.mutate({ transaction });
    output.result(sent, `sent ${sent.txid}, fee ${formatCoins(sent.fee)}`);
  });
}

function status(): Command {
  const command = new Command('status')
    .description('what has become of a transaction, and why')
    .argument('<txid>', 'its id')
    .addOption(urlOption());
  return withAction<UrlOptions>(command, async ({ url }, output, [txid = '']) => {
    const status = await createClient({ url }).transaction.status.query({ txid: parseTxid(txid) });
    output.result(status, describeStatus(status));
  });
}

function explain(): Command {
  const command = new Command('explain')
    .description('what each rule would say to a transaction; nothing is sent')
    .argument('<base64>', 'its bytes, in base64')
    .addOption(urlOption());
  return withAction<UrlOptions>(command, async ({ url }, output, [transaction = '']) => {
    const explanation = await createClient({ url }).transaction.explain.query({ transaction });
    output.result(explanation, describeExplanation(explanation));
  });
}

function fee(): Command {
  const command = new Command('fee')
    .description('what to pay for each byte to be confirmed in time, by what the node has seen')
    .option('--blocks <count>', 'within how many blocks', wholeNumber(1, MAX_FEE_TARGET), 6)
    .addOption(urlOption());
  return withAction<UrlOptions & { blocks: number }>(command, async ({ url, blocks }, output) => {
    const estimate = await createClient({ url }).transaction.estimateFee.query({ blocks });
    output.result(estimate, describeEstimate(estimate));
  });
}

function parseTxid(text: string): TxId {
  const txid = parseId<TxId>(text);
  if (txid === undefined) throw new UsageError('a txid is 64 lower-case hex digits');
  return txid;
}
