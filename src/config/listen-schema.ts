/**
 * What postern.yaml says of the data port: where clients connect, who may speak for them, how long they may take. Types, limits,
 * defaults and descriptions stand here once. Opens nothing.
 */
import { z } from 'zod';
import { PATH_QUIRKS } from '../lib/path-normalization.ts';
import { sharesPorts } from '../lib/shared-port.ts';
import { AddressEntriesSchema } from './address-entries.ts';
import { choice, duration, listenHost, text, trustedProxy, UNIX_PEERS, whole } from './values.ts';

const DEFAULT_HOST = '0.0.0.0';
const DEFAULT_PORT = 8080;

const flag = z.boolean({ error: 'must be true or false' });

interface Place {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path: string | null;
}

function refuseTwoPlaces({ host, port, path }: Place, context: z.core.$RefinementCtx): void {
  if (path === null || (host === undefined && port === undefined)) return;
  const other = host === undefined ? 'port' : 'host';
  context.addIssue({
    code: 'custom',
    path: ['path'],
    message: `cannot stand beside \`listen.${other}\`: Postern listens in one place; remove one of them`,
  });
}

interface Proxies extends Place {
  readonly proxyProtocol: boolean;
  readonly trustedProxies: readonly string[];
}

/** Peers on a socket have no address, and peers of a port are on no socket. */
function refuseUnspokenProtocol(listen: Proxies, context: z.core.$RefinementCtx): void {
  const { path, proxyProtocol, trustedProxies } = listen;
  const unix = trustedProxies.includes(UNIX_PEERS);
  const mayBeSpoken = path === null ? trustedProxies.length > (unix ? 1 : 0) : unix;
  if (!proxyProtocol || mayBeSpoken) return;
  const why = path === null ? 'names no address' : 'does not hold `unix`';
  context.addIssue({
    code: 'custom',
    path: ['proxyProtocol'],
    message: `must be false while \`listen.trustedProxies\` ${trustedProxies.length === 0 ? 'is empty' : why}: nobody may speak it`,
  });
}

/** Asked of Node itself: what an older one does not know, it would pass over. */
function refuseUnshared(
  { path, reusePort }: Place & { readonly reusePort: boolean },
  context: z.core.$RefinementCtx,
): void {
  if (!reusePort) return;
  const message = !sharesPorts(process.versions.node)
    ? `needs Node 23.1 or later, and this is ${process.versions.node}; run Postern with a newer one, or remove the field`
    : path === null
      ? null
      : 'cannot stand beside `listen.path`: a socket belongs to one process';
  if (message !== null) context.addIssue({ code: 'custom', path: ['reusePort'], message });
}

/** Either a host and port, or the path of a socket. */
const inOnePlace = <T extends Place>({ host = DEFAULT_HOST, port = DEFAULT_PORT, path, ...listen }: T) =>
  path === null ? { host, port, path, ...listen } : { host: null, port: null, path, ...listen };

export const ListenSchema = z
  .strictObject({
    host: listenHost.optional().meta({
      default: DEFAULT_HOST,
      description: 'Address of the data port; `::` listens on IPv4 and IPv6.',
    }),
    port: whole(0, 65_535)
      .optional()
      .meta({ default: DEFAULT_PORT, description: 'The data port; 0 takes a free one.' }),
    path: text()
      .nullable()
      .default(null)
      .describe(
        'A Unix socket to listen on, in place of `host` and `port`; its mode is 0660. Its peers have no address: they are on no list.',
      ),
    reusePort: flag
      .default(false)
      .describe(
        'Several processes on this machine may listen on `port`, each for a share of the connections. Node 23.1 and later.',
      ),
    trustedProxies: z
      .array(trustedProxy, { error: 'must be a list of addresses, ranges or the word unix' })
      .default([])
      .describe('Addresses and ranges whose X-Forwarded-For is believed; `unix`: that of peers on the socket `path`.'),
    denyFrom: AddressEntriesSchema.default([]).describe(
      'Addresses and ranges that are refused whatever they ask and whatever credential they show. Takes effect at a reload.',
    ),
    proxyProtocol: flag.default(false).describe('Take the PROXY protocol, v1 and v2, from trusted proxies.'),
    tls: z
      .strictObject({
        certFile: text().describe('PEM file of the certificate and its chain.'),
        keyFile: text().describe('PEM file of the private key.'),
        clientCaFile: text()
          .nullable()
          .default(null)
          .describe(
            'PEM file of the authorities that sign the certificates of clients: each client must then show one. null: none is asked for.',
          ),
      })
      .nullable()
      .default(null)
      .describe(
        'Serve the data port over TLS 1.2 and later; null: plain HTTP. Changed files are read without a restart.',
      ),
    requestTimeoutSeconds: duration(0.01, 3600)
      .default(30)
      .describe('The whole request must have arrived within this time.'),
    headersTimeoutSeconds: duration(0.01, 3600)
      .default(10)
      .describe('The header section must have arrived within this time.'),
    maxHeaderBytes: whole(4096, 1_048_576)
      .default(16_384)
      .describe('Largest header section of a request; a larger one is refused with 431.'),
    keepAliveTimeoutSeconds: duration(0.01, 3600)
      .default(75)
      .describe('How long an idle connection of a client stays open.'),
    shutdownGraceSeconds: duration(0, 3600)
      .default(30)
      .describe('How long requests under way may take to end at shutdown.'),
    allowPathQuirks: z
      .array(choice(PATH_QUIRKS), { error: 'must be a list' })
      .default([])
      .describe('Spellings of a path that are let through although two servers may read them differently.'),
    maxConnections: whole(1, 1_000_000)
      .default(10_000)
      .describe('Most connections of clients at one time; further ones are closed.'),
    maxRequestsInFlight: whole(1, 1_000_000)
      .default(4096)
      .describe(
        'Most requests under way at one time; further ones get 503 `overloaded`. Of more than 16, one key may have half, callers without a known key half (one address of theirs a quarter), one of several APIs three quarters.',
      ),
    maxBodyBytesInFlight: whole(65_536, 1_099_511_627_776)
      .nullable()
      .default(null)
      .describe(
        'Most bytes of request bodies that are in memory at one time, since somebody has to look into them; what finds no room gets 503 `overloaded`, unless it is the only one. Shared out as `maxRequestsInFlight`. null: a quarter of the memory that the process may have.',
      ),
  })
  .superRefine((listen, context) => {
    refuseTwoPlaces(listen, context);
    refuseUnspokenProtocol(listen, context);
    refuseUnshared(listen, context);
    if (listen.headersTimeoutSeconds > listen.requestTimeoutSeconds)
      context.addIssue({
        code: 'custom',
        path: ['headersTimeoutSeconds'],
        message: 'must not be longer than `listen.requestTimeoutSeconds`',
      });
  })
  .transform(inOnePlace)
  .prefault({})
  .describe('The data port, where clients connect.');
