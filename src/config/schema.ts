/**
 * The configuration of Postern, postern.yaml: every field with its type, limits, default and description, once.
 * The JSON Schema in config/ and the tables of docs/configuration.md are generated from here. Reads no file.
 */
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { AdminTokensSchema, refuseTwins } from './admin-token-schema.ts';
import { ApisSchema } from './apis-schema.ts';
import { ListenSchema } from './listen-schema.ts';
import { ObserveSchema } from './observe-schema.ts';
import { choice, duration, hostName, listenHost, redisUrl, SECRET, secretText, text, whole } from './values.ts';

const flag = z.boolean({ error: 'must be true or false' });

const AdminSchema = z
  .strictObject({
    host: listenHost.default('127.0.0.1').describe('Address of the admin port.'),
    port: whole(0, 65_535).default(9090).describe('The admin port; 0 takes a free one.'),
    token: secretText
      .nullable()
      .default(null)
      .meta({
        ...SECRET,
        description:
          'The token of one editor, named `admin`. Without `token` and `tokens`, /api and the console are off. Takes effect at a reload.',
      }),
    tokens: AdminTokensSchema,
    tls: z
      .strictObject({
        certFile: text().describe('PEM file of the certificate and its chain.'),
        keyFile: text().describe('PEM file of the private key.'),
      })
      .nullable()
      .default(null)
      .describe(
        'Serve the admin port over TLS 1.2 and later; null: plain HTTP. Changed files are read without a restart.',
      ),
    hosts: z
      .array(hostName, { error: 'must be a list of host names' })
      .default([])
      .describe('Further Host names under which the console is reached.'),
  })
  .superRefine(refuseTwins)
  .prefault({})
  .describe('The admin port: metrics, health, API and console.');

export const KeysSchema = z
  .strictObject({
    source: choice(['file', 'redis']).default('file').describe('Where the keys are.'),
    file: text().default('keys.yaml').describe('The key file, for `source: file` and for `postern keys push`.'),
  })
  .prefault({})
  .describe('Where the keys come from.');

const RedisTlsSchema = z
  .union(
    [
      flag,
      z.strictObject({
        caFile: text()
          .nullable()
          .default(null)
          .describe(
            "PEM file of the authorities that may sign the server's certificate; null: those that Node trusts.",
          ),
        serverName: hostName
          .nullable()
          .default(null)
          .describe('The name to expect in the certificate; null: the host connected to.'),
        insecureSkipVerify: flag.default(false).describe('Accept any certificate. For experiments only.'),
      }),
    ],
    { error: 'must be true, false or { caFile, serverName, insecureSkipVerify }' },
  )
  .default(false)
  .transform((tls) =>
    tls === true ? { caFile: null, serverName: null, insecureSkipVerify: false } : tls === false ? null : tls,
  )
  .describe('Connect over TLS, also to every node that Sentinel or Cluster names. A rediss:// URL does so by itself.');

export const DEFAULT_REDIS_URL = 'redis://127.0.0.1:6379';

const HASH_TAG = /^[^{]*\{[^}]+\}/;

const RedisSchema = z
  .strictObject({
    url: redisUrl(true).nullable().default(null).meta({
      default: DEFAULT_REDIS_URL,
      description:
        'A single Redis: redis:// or rediss://. The default holds when neither `cluster` nor `sentinel` is given.',
    }),
    cluster: z
      .array(redisUrl(false), { error: 'must be a list of URLs' })
      .min(1, { error: 'must name at least one node' })
      .nullable()
      .default(null)
      .describe('URLs of some nodes of a Redis Cluster, in place of `url`.'),
    sentinel: z
      .strictObject({
        name: text().describe('The name of the master that the Sentinels watch.'),
        urls: z
          .array(redisUrl(false), { error: 'must be a list of URLs' })
          .min(1, { error: 'must name at least one Sentinel' })
          .describe('URLs of the Sentinels; credentials in them are for the Sentinels.'),
      })
      .nullable()
      .default(null)
      .describe('A master found through Sentinels, in place of `url`.'),
    username: text().nullable().default(null).describe('User name for every node (Redis ACL).'),
    password: text('must be text that is not empty; put it in quotes')
      .nullable()
      .default(null)
      .meta({ ...SECRET, description: 'Password for every node.' }),
    tls: RedisTlsSchema,
    prefix: z
      .string({ error: 'must be text' })
      .regex(/^[\x21-\x7e]{1,64}$/, { error: 'must be 1 to 64 printable ASCII characters without a space' })
      .default('postern:')
      .describe(
        'Starts the name of everything that Postern keeps in Redis. With `cluster` it must hold a hash tag, such as `{postern}:`.',
      ),
    pollSeconds: duration(0.05, 300)
      .default(2)
      .describe('How often the counter of the keys is read, besides the messages about changes.'),
  })
  .superRefine((redis, context) => {
    const given = (['url', 'cluster', 'sentinel'] as const).filter((name) => redis[name] !== null);
    const [first, second] = given;
    if (first !== undefined && second !== undefined)
      context.addIssue({
        code: 'custom',
        path: [second],
        message: `cannot stand beside \`redis.${first}\`: remove one of them`,
      });
    if (redis.cluster !== null && !HASH_TAG.test(redis.prefix))
      context.addIssue({
        code: 'custom',
        path: ['prefix'],
        message: 'must hold a hash tag such as "{postern}:" with `redis.cluster`, so that all keys are on one node',
      });
  })
  .transform((redis) => ({
    ...redis,
    url: redis.url ?? (redis.cluster === null && redis.sentinel === null ? DEFAULT_REDIS_URL : null),
  }))
  .prefault({})
  .describe('Redis, when keys, limits or cached answers are kept there.');

const RateLimitSchema = z
  .strictObject({
    store: choice(['memory', 'redis']).default('memory').describe('`redis` shares the count between replicas.'),
  })
  .prefault({})
  .describe('Where requests are counted for rate limits.');

const LogSchema = z
  .strictObject({
    level: choice(['debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('The least severe lines that are written.'),
    requests: choice(['rejections', 'all', 'none']).default('rejections').describe('Which requests get a line.'),
    sample: duration(0, 1)
      .default(1)
      .describe(
        'With `requests: all`: the share of requests that pass that get a line. Refusals and failures always do.',
      ),
  })
  .prefault({})
  .describe('The log on standard output.');

/** Whether a server at one address takes a port that another at the other address asks for. Names are not looked up. */
function sharePorts(a: string, b: string): boolean {
  const both = [a, b];
  return a === b || both.includes('::') || (both.includes('0.0.0.0') && both.every(isIPv4));
}

export const ConfigSchema = z
  .strictObject({
    listen: ListenSchema,
    admin: AdminSchema,
    apis: ApisSchema,
    keys: KeysSchema,
    redis: RedisSchema,
    rateLimit: RateLimitSchema,
    observe: ObserveSchema,
    log: LogSchema,
  })
  .superRefine(({ listen, admin }, context) => {
    if (listen.path !== null || admin.port === 0 || admin.port !== listen.port) return;
    if (sharePorts(admin.host, listen.host))
      context.addIssue({
        code: 'custom',
        path: ['admin', 'port'],
        message: 'is the port of `listen`, too; give each its own',
      });
  });

/** A valid configuration with every default filled in; file paths are resolved against the file that names them. */
export type Config = z.output<typeof ConfigSchema>;
export type ListenConfig = Config['listen'];
