import * as z from 'zod';
import { LOG_LEVELS } from './system/logger.js';

const port = z.coerce.number().int().min(0).max(65_535);
const host = z.string().min(1).max(255);
const urls = z.array(z.string()).max(100).default([]);

/** What every server process can be told. */
const common = {
  name: z.string().min(1).max(100),
  host: host.default('127.0.0.1'),
  port,
  /** Where others reach this process; derived from host and port unless given. */
  url: z.string().optional(),
  dataDir: z.string().min(1),
  logLevel: z.enum(LOG_LEVELS).default('info'),
  /** Whether private and loopback addresses may be called. */
  allowPrivate: z.boolean(),
  allowHosts: z.array(host).max(100).default([]),
  allowOrigins: z.array(z.url()).max(100).default([]),
  remoteOperator: z.boolean().default(false),
};

/** What a full node can be told. */
export const nodeConfig = z.strictObject({ ...common, directories: urls, peers: urls });
export type NodeConfig = z.output<typeof nodeConfig>;
export type NodeConfigInput = z.input<typeof nodeConfig>;

/** What a directory server can be told. */
export const directoryConfig = z.strictObject(common);
export type DirectoryConfig = z.output<typeof directoryConfig>;
