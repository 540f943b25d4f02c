/**
 * Reads the addresses of a Redis (one server, behind Sentinel, or a Cluster) into connection options, and makes an error's
 * text fit for logs. Connects to nothing.
 */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { domainToASCII } from 'node:url';
import type { RedisOptions } from 'ioredis';

/** Exactly one of `url`, `cluster` and `sentinel` is given. */
export interface RedisSettings {
  /** `redis://[[user]:password@]host[:port][/database]`; `rediss://` for TLS. */
  readonly url: string | null;
  /** Some nodes of a Cluster; credentials in the first URL hold for every node. */
  readonly cluster: readonly string[] | null;
  /** Credentials in these URLs are for the Sentinels, not for the servers that they name. */
  readonly sentinel: { readonly name: string; readonly urls: readonly string[] } | null;
  /** For the servers, where `url` or `cluster` do not carry them. */
  readonly username: string | null;
  readonly password: string | null;
  readonly tls: RedisTls | null;
}

export interface RedisTls {
  /** PEM file of the authorities to trust instead of those that Node trusts. */
  readonly caFile: string | null;
  /** The name to check in the certificate instead of the host's. */
  readonly serverName: string | null;
  readonly insecureSkipVerify: boolean;
}

/** Without the option whose type decides what commands return. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

export interface RedisEndpoint {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly secure: boolean;
}

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;

/**
 * Reads a `redis:` or `rediss:` URL; user and password are percent-decoded.
 * @throws Error that says what is wrong without showing the URL, which may hold a password
 */
export function parseRedisUrl(text: string, defaultPort = REDIS_PORT): RedisEndpoint {
  if (!URL.canParse(text)) throw new Error('the Redis URL cannot be read');
  const url = new URL(text);
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:')
    throw new Error('the Redis URL must begin with redis:// or rediss://');
  if (url.hostname === '') throw new Error('the Redis URL names no host');
  if (!/^\/?\d{0,5}$/.test(url.pathname)) throw new Error('the path of the Redis URL is not a database number');
  return {
    host: asciiHost(url.hostname.replace(/^\[(.*)\]$/, '$1')),
    port: url.port === '' ? defaultPort : Number(url.port),
    db: Number(url.pathname.slice(1)),
    username: url.username === '' ? undefined : decoded(url.username),
    password: url.password === '' ? undefined : decoded(url.password),
    secure: url.protocol === 'rediss:',
  };
}

/** `URL` percent-encodes an international name of any scheme but those of the web. */
function asciiHost(host: string): string {
  return host.includes('%') ? domainToASCII(decoded(host)) || host : host;
}

/** How the one server, or the master behind Sentinel, is reached. @throws Error for a malformed URL or an unreadable CA file */
export function serverOptions(settings: RedisSettings): ClientOptions {
  if (settings.sentinel === null) {
    const endpoint = parseRedisUrl(settings.url ?? '');
    return { host: endpoint.host, port: endpoint.port, db: endpoint.db, ...credentials(settings, endpoint) };
  }
  const sentinels = settings.sentinel.urls.map((url) => parseRedisUrl(url, SENTINEL_PORT));
  const first = sentinels[0];
  // A rediss:// URL among them means TLS throughout, as in a Cluster: half of the way in plain text would be no protection.
  const secure = settings.tls !== null || sentinels.some((sentinel) => sentinel.secure);
  return {
    name: settings.sentinel.name,
    sentinels: sentinels.map(({ host, port }) => ({ host, port })),
    ...(first?.username !== undefined && { sentinelUsername: first.username }),
    ...(first?.password !== undefined && { sentinelPassword: first.password }),
    ...credentials(settings, undefined),
    ...(secure && {
      tls: tlsOptions(settings.tls),
      sentinelTLS: tlsOptions(settings.tls),
      enableTLSForSentinelMode: true,
    }),
  };
}

/** How every node of a Cluster is reached. @throws Error for an unreadable CA file */
export function clusterNodeOptions(settings: RedisSettings, seeds: readonly RedisEndpoint[]): ClientOptions {
  return credentials(settings, seeds[0]);
}

/**
 * Makes the text of errors fit for logs: one line without a full stop, and without any password of these settings. A server may
 * repeat the arguments of a command that it does not know, `AUTH` among them.
 */
export function errorText(settings: RedisSettings): (error: unknown) => string {
  const secrets = [settings.url, ...(settings.cluster ?? []), ...(settings.sentinel?.urls ?? [])]
    .flatMap((url) => (url === null || !URL.canParse(url) ? [] : [new URL(url).password]))
    .flatMap((password) => [password, decoded(password)])
    .concat(settings.password ?? '')
    .filter((secret) => secret !== '');
  return (error) => {
    let message = messageOf(error);
    for (const secret of secrets) message = message.replaceAll(secret, '***');
    // The client library's words for a server that is silent.
    message = message.replace(/^Socket timeout\..*? (\d+)ms\.?$/, 'no answer within $1 ms');
    // The delay differs each time, and the same trouble should read the same.
    message = message.replace(/ Retrying from scratch after \S+ms\./, '');
    return message
      .replaceAll(/\p{Cc}+/gu, ' ')
      .replace(/\.$/, '')
      .slice(0, 300);
  };
}

/** A password with a `%` that encodes nothing is meant as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Node puts the failures of several addresses of one name into an error that has no text itself. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error instanceof Error ? error.message || error.name : String(error);
}

function credentials(settings: RedisSettings, endpoint: RedisEndpoint | undefined): ClientOptions {
  const username = endpoint?.username ?? settings.username ?? undefined;
  const password = endpoint?.password ?? settings.password ?? undefined;
  const secure = endpoint?.secure === true || settings.tls !== null;
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(secure && { tls: tlsOptions(settings.tls) }),
  };
}

function tlsOptions(tls: RedisTls | null): TlsOptions {
  return {
    minVersion: 'TLSv1.2',
    ...(tls?.caFile && { ca: readFileSync(tls.caFile) }),
    ...(tls?.serverName && { servername: tls.serverName }),
    rejectUnauthorized: tls?.insecureSkipVerify !== true,
  };
}
