#!/usr/bin/env node
import { Command } from 'commander';
import { chainCommand } from '../client/cli/commands/chain.js';
import { devnetCommand } from '../client/cli/commands/devnet.js';
import { peersCommand } from '../client/cli/commands/peers.js';
import { txCommand } from '../client/cli/commands/tx.js';
import { walletCommand } from '../client/cli/commands/wallet.js';
import { runCommandLine } from '../client/cli/main.js';
import { directoryCommand } from '../server/cli/directoryCommand.js';
import { minerCommand } from '../server/cli/minerCommand.js';
import { nodeCommand } from '../server/cli/nodeCommand.js';
import { repairCommands } from '../server/cli/repairCommands.js';
import { VERSION } from '../shared/version.js';
import { simCommand } from '../test/kit/cli/simCommand.js';

const program = new Command('trestle')
  .description('A blockchain node for TypeScript developers.')
  .version(VERSION, '--version')
  .addCommand(devnetCommand(import.meta.filename))
  .addCommand(nodeCommand())
  .addCommand(directoryCommand())
  .addCommand(minerCommand())
  .addCommand(walletCommand())
  .addCommand(chainCommand(repairCommands()))
  .addCommand(txCommand())
  .addCommand(peersCommand())
  .addCommand(simCommand());

await runCommandLine(program, process.argv.slice(2));
