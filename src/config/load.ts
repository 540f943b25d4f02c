/**
 * Reads postern.yaml: into a valid configuration, or into every finding that keeps it from being one. Reads the files that
 * it refers to, so that a missing certificate is found before anything listens. Does not read the keys.
 */
import { resolve } from 'node:path';
import type { z } from 'zod';
import { readYamlFile, resolveFrom, resolveUpstream, type Environment } from './document.ts';
import type { ApiConfig } from './apis-schema.ts';
import { describeApis } from './described-routes.ts';
import { CONFIG_JSON_SCHEMA } from './config-json-schema.ts';
import { eventNotes } from './event-notes.ts';
import { findingsOf, problemsOf, type Finding } from './issue.ts';
import { hasErrors, inReadingOrder, type Problem } from './problem.ts';
import { checkNamedFiles } from './named-files.ts';
import { ConfigSchema, KeysSchema, type Config } from './schema.ts';
import { listsNamedIn } from './named-lists.ts';
import { reportNotes } from './report-notes.ts';
import { configWarnings } from './warnings.ts';

export interface LoadedConfig {
  /** null when any problem is an error. */
  readonly config: Config | null;
  /** The same, also when files of TLS are at fault: a process that runs may go on with those that it has. */
  readonly besidesTls: Config | null;
  readonly problems: readonly Problem[];
  /** What only the operator can tell whether it is right. */
  readonly notes: readonly Problem[];
  /** The key file, if keys come from one and that much could be read: its mistakes can then be told together. */
  readonly keyFile: string | null;
  /** The address lists that it names, each with the finding for the case that there is none of that name. */
  readonly namedLists: readonly NamedList[];
  /** Whether it says where Redis is, so that the default is not a guess. */
  readonly namesRedis: boolean;
  /** Every file whose content counts: the configuration, what `${file:}` reads, certificates, OpenAPI documents. */
  readonly files: readonly string[];
}

export interface NamedList {
  readonly name: string;
  readonly unknown: Problem;
}

/** A file is read once in a while: code made for it would cost more than it saves. */
const ONCE = { jitless: true };

const UNUSABLE = { config: null, besidesTls: null, notes: [], namedLists: [], namesRedis: false } as const;

/** Reads and validates the configuration. Throws nothing for an operator's mistake. `now` in milliseconds since the epoch. */
export function loadConfig(file: string, env: Environment, now: number = Date.now()): LoadedConfig {
  const yaml = readYamlFile({ file, env, schema: CONFIG_JSON_SCHEMA });
  if (yaml.content === null) return { ...UNUSABLE, problems: yaml.problems, keyFile: null, files: yaml.files };
  const keyFile = keyFileOf(yaml.content.value, file);
  const parsed = ConfigSchema.safeParse(yaml.content.value, ONCE);
  if (!parsed.success) {
    const found = problemsOf(findingsOf(parsed.error.issues, yaml.content.value, CONFIG_JSON_SCHEMA), yaml);
    return { ...UNUSABLE, problems: inReadingOrder([...yaml.problems, ...found]), keyFile, files: yaml.files };
  }
  const resolved = withResolvedPaths(parsed.data, file);
  const described = describeApis(resolved.apis);
  const config = { ...resolved, apis: described.apis };
  const named = checkNamedFiles(config, now);
  const unwise = [...configWarnings(resolved, yaml, CONFIG_JSON_SCHEMA), ...named.tlsWarnings];
  const warnings = problemsOf(unwise, yaml, [], 'warning');
  const files = [...yaml.files, ...named.files, ...described.files];
  const store = storeFindings(config, keyFile === null ? files : [...files, keyFile]);
  const findings = problemsOf([...named.findings, ...described.findings, ...store], yaml);
  const ofTls = problemsOf(named.tlsFindings, yaml);
  const others = [...yaml.problems, ...findings, ...warnings, ...described.problems];
  const besidesTls = hasErrors(others) ? null : config;
  return {
    config: ofTls.length > 0 ? null : besidesTls,
    besidesTls,
    problems: inReadingOrder([...others, ...ofTls]),
    notes: [...eventNotes(config, yaml), ...reportNotes(config, yaml)],
    keyFile,
    namedLists: listsNamedIn(config).map(({ name, path }) => ({
      name,
      unknown: problemsOf([{ path, message: 'is the name of no address list' }], yaml)[0] as Problem,
    })),
    namesRedis: hasRedis(yaml.content.value),
    files,
  };
}

const hasRedis = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'redis' in value && value.redis !== null;

/** What is observed would take the place of a file that is read. */
function storeFindings({ observe: { store } }: Config, files: readonly string[]): Finding[] {
  if (!store.startsWith(FILE_STORE)) return [];
  const path = resolve(store.slice(FILE_STORE.length));
  return files.some((file) => resolve(file) === path)
    ? [{ path: ['observe', 'store'], message: 'must be a file of its own, since it is written to' }]
    : [];
}

/** Asked of the section alone, so that a mistake in another one does not hide those in the key file. */
function keyFileOf(value: unknown, file: string): string | null {
  const section = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
  const keys = KeysSchema.safeParse(section, ONCE);
  return keys.success && keys.data.source === 'file' ? resolveFrom(file, keys.data.file) : null;
}

/** File names become paths that hold wherever the process runs. */
function withResolvedPaths(config: z.output<typeof ConfigSchema>, file: string): Config {
  const resolve = <T extends string | null>(path: T): T => (path === null ? path : (resolveFrom(file, path) as T));
  const { tls } = config.listen;
  const { tls: adminTls } = config.admin;
  const { tls: redisTls } = config.redis;
  const api = (settings: ApiConfig): ApiConfig => ({
    ...settings,
    upstream: resolveUpstream(file, settings.upstream),
    tls: {
      ...settings.tls,
      caFile: resolve(settings.tls.caFile),
      certFile: resolve(settings.tls.certFile),
      keyFile: resolve(settings.tls.keyFile),
    },
    openapi: resolve(settings.openapi),
    token: settings.token && { ...settings.token, privateKeyFile: resolve(settings.token.privateKeyFile) },
  });
  return {
    ...config,
    listen: {
      ...(config.listen.path === null ? config.listen : { ...config.listen, path: resolve(config.listen.path) }),
      tls: tls && {
        certFile: resolve(tls.certFile),
        keyFile: resolve(tls.keyFile),
        clientCaFile: resolve(tls.clientCaFile),
      },
    },
    admin: {
      ...config.admin,
      tls: adminTls && { certFile: resolve(adminTls.certFile), keyFile: resolve(adminTls.keyFile) },
    },
    apis: Object.fromEntries(Object.entries(config.apis).map(([name, settings]) => [name, api(settings)])),
    keys: { ...config.keys, file: resolve(config.keys.file) },
    observe: { ...config.observe, store: storeWithPath(config.observe.store, resolve) },
    redis: { ...config.redis, tls: redisTls && { ...redisTls, caFile: resolve(redisTls.caFile) } },
  };
}

/** What stands before the path of a file, in `observe.store`. */
const FILE_STORE = 'file:';

/** Of `file:PATH` the path alone is one. */
const storeWithPath = (store: string, resolvePath: (path: string) => string): string =>
  store.startsWith(FILE_STORE) ? `${FILE_STORE}${resolvePath(store.slice(FILE_STORE.length))}` : store;
