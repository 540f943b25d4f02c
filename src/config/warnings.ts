/**
 * What a valid postern.yaml says that an operator should think about again. Warnings stop nothing, unless `postern check`
 * is told to be strict.
 */
import { isIPv4 } from 'node:net';
import { parseCidr } from '../lib/cidr.ts';
import { apiWarnings } from './api-warnings.ts';
import type { YamlFile } from './document.ts';
import type { Finding } from './issue.ts';
import type { JsonSchema } from './json-schema.ts';
import { isSecretValue } from './redact.ts';
import type { Config } from './schema.ts';
import { SECRET_HASH, UNIX_PEERS } from './values.ts';

/** A secret shorter than this can be guessed. */
export const SHORT_SECRET = 20;

export const PLAIN_SECRET = 'is a secret in plain text; write it as ${NAME} or ${file:PATH}';

/** Warnings about the configuration; the paths are those of the file. */
export function configWarnings(config: Config, file: YamlFile, schema: JsonSchema): Finding[] {
  return [
    ...adminWarnings(config),
    ...trustWarnings(config),
    ...apiWarnings(config.apis),
    ...plainSecrets(file.content?.value, [], { file, schema }).filter(({ path }) => path.at(-1) !== 'hash'),
    ...edgesOfSecrets(file.content?.value, [], schema),
    ...edgeOf(config.redis.username, ['redis', 'username']),
  ];
}

function adminWarnings({ admin: { host, token, tokens } }: Config): Finding[] {
  if (token === null && tokens.length === 0)
    return isLoopback(host)
      ? []
      : [
          {
            path: ['admin', 'host'],
            message: `opens the admin port beyond this machine without \`admin.token\` or \`admin.tokens\`; it is ${JSON.stringify(host)}`,
          },
        ];
  return [
    ...tokenWarnings(token, ['admin', 'token']),
    ...tokens.flatMap(({ value = null }, index) => tokenWarnings(value, ['admin', 'tokens', index, 'value'])),
  ];
}

function tokenWarnings(token: string | null, path: readonly PropertyKey[]): Finding[] {
  if (token === null) return [];
  if (token.length < SHORT_SECRET)
    return [{ path, message: `is shorter than ${SHORT_SECRET} characters and can be guessed` }];
  if (!SECRET_HASH.test(token)) return [];
  return [{ path, message: 'is the token itself, although it looks like a hash; a hash belongs in `admin.tokens`' }];
}

function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}

const trustWarnings = ({ listen }: Config): Finding[] =>
  listen.trustedProxies.flatMap((proxy, index) => {
    const message = warningOfProxy(proxy, listen.path);
    return message === null ? [] : [{ path: ['listen', 'trustedProxies', index], message }];
  });

function warningOfProxy(proxy: string, socket: string | null): string | null {
  if (proxy === UNIX_PEERS)
    return socket === null ? 'names nobody: without `listen.path` nobody connects to a socket' : null;
  return isEverything(proxy) ? `trusts everyone (${proxy}): any client can claim any address` : null;
}

/** Whether a range holds every address of its family. */
export function isEverything(range: string): boolean {
  const parsed = parseCidr(range);
  return parsed.ok && parsed.value.prefixLength === 0;
}

interface Places {
  readonly file: YamlFile;
  readonly schema: JsonSchema;
}

/** Secrets whose text stands in the file itself. */
export function plainSecrets(value: unknown, path: readonly PropertyKey[], places: Places): Finding[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => plainSecrets(item, [...path, index], places));
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([name, inner]) => plainSecrets(inner, [...path, name], places));
  if (typeof value !== 'string' || !places.file.isWrittenHere(path)) return [];
  if (isSecretValue(value, path, places.schema)) return [{ path, message: PLAIN_SECRET }];
  return hasPassword(value)
    ? [{ path, message: `holds a password in plain text; write it as \${NAME} or \${file:PATH}` }]
    : [];
}

/**
 * White space at the end of a secret is nearly always that of the file or the command that it comes from. Where it is sent in a
 * header it is a mistake; elsewhere it counts, and only the other side can tell whether it should.
 */
function edgesOfSecrets(value: unknown, path: readonly PropertyKey[], schema: JsonSchema): Finding[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => edgesOfSecrets(item, [...path, index], schema));
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([name, inner]) => edgesOfSecrets(inner, [...path, name], schema));
  return typeof value === 'string' && isSecretValue(value, path, schema) ? edgeOf(value, path) : [];
}

function edgeOf(value: string | null, path: readonly PropertyKey[]): Finding[] {
  if (value === null || value === value.trim()) return [];
  const what = /[\r\n]$/.test(value) ? 'ends with a line break' : 'begins or ends with white space';
  return [{ path, message: `${what}, which counts as part of it; set it without (\${file:PATH} cuts one line break)` }];
}

/** Whether a colon and more stand between `//` and an `@`. */
const hasPassword = (url: string): boolean =>
  url
    .split('@')
    .slice(0, -1)
    .some((before) => {
      const start = before.indexOf('//');
      const colon = start === -1 ? -1 : before.indexOf(':', start + 2);
      return colon !== -1 && colon < before.length - 1;
    });
