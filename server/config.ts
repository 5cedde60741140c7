import { isIP } from 'node:net';
import * as z from 'zod';
import { TrestleError } from '../shared/errors.js';
import { MAX_POOL_BYTES } from '../shared/policy/relay.js';
import { ENGINE_CHOICES } from './system/engines.js';
import { LOG_LEVELS } from './system/logger.js';

const host = z.string().min(1).max(255);
const urls = z.array(z.string().max(200)).max(100).default([]);

/** What every server process can be told. Only the data directory has no default. */
const common = {
  /** What the process calls itself, in its log and to others. */
  name: z
    .string()
    .max(100)
    .regex(/^[A-Za-z0-9][A-Za-z0-9 _.-]*$/, 'letters, digits, spaces, dots and dashes only'),
  dataDir: z.string().min(1),
  /** The address to listen on. */
  host: host.default('127.0.0.1'),
  /** The port to listen on; 0 takes any free one. The network's own unless given. */
  port: z.int().min(0).max(65_535).optional(),
  /** Where others reach this process; derived from host and port unless given. */
  publicUrl: z.string().optional(),
  logLevel: z.enum(LOG_LEVELS).default('info'),
  /** Whether private and loopback addresses may be called. Only on `dev` unless given. */
  allowPrivate: z.boolean().optional(),
  /** Host names to answer to, beside `localhost` and plain addresses. */
  allowHosts: z.array(host.toLowerCase()).max(100).default([]),
  /** Origins of web pages that may call. */
  allowOrigins: z
    .array(z.url().transform((text) => new URL(text).origin))
    .max(100)
    .default([]),
  /**
   * Addresses whose calls are not counted against a quota. Behind a proxy all callers look like the proxy: name it here,
   * and let it do the counting.
   */
  exempt: z
    .array(z.string().refine((text) => isIP(text) !== 0, 'an IP address is expected'))
    .max(100)
    .default([]),
  /** Whether the operator may call from other machines. */
  remoteOperator: z.boolean().default(false),
};

/** What a full node can be told. */
export const nodeConfig = z.strictObject({
  ...common,
  name: common.name.default('node'),
  /** Directory servers to find other nodes by. */
  directories: urls,
  /** Nodes to begin with. */
  peers: urls,
  /** The most bytes of waiting transactions. */
  maxPoolBytes: z.int().min(1_000).max(4_000_000_000).default(MAX_POOL_BYTES),
  /** Which implementation checks signatures; `auto` is the fastest compiled one that works here. */
  signatureEngine: z.enum(ENGINE_CHOICES).default('auto'),
});
/** A node's configuration, as it is given. */
export type NodeConfigInput = z.input<typeof nodeConfig>;

/** What a directory server can be told. */
export const directoryConfig = z.strictObject({ ...common, name: common.name.default('directory') });
/** A directory server's configuration, as it is given. */
export type DirectoryConfigInput = z.input<typeof directoryConfig>;

/** What full nodes and directory servers have in common, checked. */
export type ServerConfig = z.output<typeof directoryConfig>;

/** Checks a configuration. Throws `bad-request` with the names of the settings that are wrong. */
export function parseConfig<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const detail = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  throw new TrestleError({ code: 'bad-request', detail });
}
