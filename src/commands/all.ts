/**
 * Every command: its options, its help, its exit codes, and what runs it. Each is loaded only when it is asked for.
 */
import { fileURLToPath } from 'node:url';
import { PRESETS, type PresetName } from '../config/presets.ts';
import { KEY_TYPES, type KeyType } from '../keys/key.ts';
import { useCompileCache } from '../lib/compile-cache.ts';
import { holdYoungGeneration } from '../lib/garbage.ts';
import { SHELLS, type Shell } from './shells.ts';
import type { CommandIo } from './io.ts';
import { ARGUMENT, type CommandSpec, type OptionSpec, type OptionValues } from './usage.ts';

/** A command, and how it runs. */
export interface Command extends CommandSpec {
  readonly run: (values: OptionValues, io: CommandIo) => Promise<number>;
}

const config: OptionSpec = {
  type: 'string',
  value: 'FILE',
  help: 'the configuration (default: $POSTERN_CONFIG, else config/postern.yaml)',
};

const admin: OptionSpec = {
  type: 'string',
  value: 'URL',
  help: 'the admin port of the running sidecar (default: as configured); its token is in $POSTERN_ADMIN_TOKEN',
};

const configOf = ({ config: file }: OptionValues, { env }: CommandIo): string =>
  typeof file === 'string' ? file : env['POSTERN_CONFIG'] || 'config/postern.yaml';

const textOf = (value: OptionValues[string]): string => (typeof value === 'string' ? value : '');
const givenText = (value: OptionValues[string]): string | null => (typeof value === 'string' ? value : null);
const listOf = (value: OptionValues[string]): readonly string[] => (Array.isArray(value) ? value : []);

export const COMMANDS: readonly Command[] = [
  {
    name: 'init',
    summary: 'write a first configuration with two keys',
    argument: { value: 'DIR', help: 'where to write postern.yaml and keys.yaml (default: here)' },
    options: {
      preset: { type: 'string', value: 'P', choices: PRESETS, help: `whose API it is: ${PRESETS.join(', ')}` },
      upstream: { type: 'string', value: 'URL', help: 'where the backend is (default: http://127.0.0.1:9000)' },
    },
    exits: { 1: 'nothing was written' },
    run: async ({ preset, upstream, [ARGUMENT]: directory }, io) =>
      (await import('./init.ts')).runInit(
        {
          directory: textOf(directory) || '.',
          preset: (preset as PresetName | undefined) ?? null,
          upstream: textOf(upstream) || 'http://127.0.0.1:9000',
        },
        io,
      ),
  },
  {
    name: 'serve',
    summary: 'run the sidecar',
    options: { config },
    exits: { 0: 'ended as asked', 1: 'configuration error' },
    run: async (values, io) => {
      // Beside the bundle, if its build has made one.
      useCompileCache(fileURLToPath(new URL('./compile-cache', import.meta.url)));
      const letYoungGenerationGrow = holdYoungGeneration();
      return (await import('./serve.ts')).runServe({ config: configOf(values, io), letYoungGenerationGrow }, io);
    },
  },
  {
    name: 'check',
    summary: 'validate the configuration and the keys',
    options: {
      config,
      strict: { type: 'boolean', help: 'let warnings count as errors' },
      json: { type: 'boolean', help: 'print JSON' },
    },
    exits: { 0: 'usable', 1: 'not usable' },
    run: async (values, io) =>
      (await import('./check.ts')).runCheck(
        { config: configOf(values, io), strict: values['strict'] === true, json: values['json'] === true },
        io,
      ),
  },
  {
    name: 'explain',
    summary: 'show, step by step, what would become of a request',
    options: {
      config,
      key: { type: 'string', value: 'SECRET', help: 'the secret that the request carries; -: from standard input' },
      'key-id': { type: 'string', value: 'ID', help: 'the key whose secret it carries; without this and --key: none' },
      ip: { type: 'string', value: 'IP', required: true, help: 'the address that it comes from' },
      method: { type: 'string', value: 'M', required: true, help: 'its method' },
      path: { type: 'string', value: 'P', required: true, help: 'its path, with the query if it has one' },
      event: {
        type: 'string',
        value: 'NAME',
        multiple: true,
        help: 'the name of an event in its body; may be repeated',
      },
      host: { type: 'string', value: 'H', help: 'its Host (default: one that serves the path)' },
      origin: { type: 'string', value: 'O', help: 'the origin of the page that sends it' },
      json: { type: 'boolean', help: 'print JSON' },
    },
    exits: {
      0: 'allowed',
      1: 'configuration error',
      3: 'refused',
      70: 'keys cannot be reached, or internal error',
      130: 'given up at the terminal',
    },
    run: async (values, io) =>
      (await import('./explain.ts')).runExplain(
        {
          config: configOf(values, io),
          key: givenText(values['key']),
          keyId: givenText(values['key-id']),
          ip: textOf(values['ip']),
          method: textOf(values['method']),
          path: textOf(values['path']),
          events: listOf(values['event']),
          host: givenText(values['host']),
          origin: givenText(values['origin']),
          json: values['json'] === true,
        },
        io,
      ),
  },
  {
    name: 'routes',
    summary: 'print the routes of an OpenAPI document, ready to paste',
    argument: { value: 'FILE', help: 'an OpenAPI document, 3.0 or 3.1, as YAML or JSON', required: true },
    options: {},
    exits: { 1: 'no route could be made of it' },
    run: async ({ [ARGUMENT]: file }, io) => (await import('./routes.ts')).runRoutes({ file: textOf(file) }, io),
  },
  {
    name: 'suggest',
    summary: 'print the narrowest keys that fit what was observed, or the routes of an API',
    options: {
      config,
      key: { type: 'string', value: 'ID', help: 'only this key' },
      api: { type: 'string', value: 'NAME', help: 'the routes of this API, as its callers used them' },
      admin,
      json: { type: 'boolean', help: 'print JSON' },
    },
    exits: { 1: 'configuration error, or nothing to suggest', 70: 'the admin port cannot be asked, or internal error' },
    run: async (values, io) =>
      (await import('./suggest.ts')).runSuggest(
        {
          config: configOf(values, io),
          key: givenText(values['key']),
          api: givenText(values['api']),
          admin: givenText(values['admin']),
          json: values['json'] === true,
        },
        io,
      ),
  },
  {
    name: 'keygen',
    summary: 'make a new secret and its hash',
    options: {
      type: {
        type: 'string',
        value: 'TYPE',
        choices: KEY_TYPES,
        help: `${KEY_TYPES.join(', ')} (default: write-only)`,
      },
    },
    exits: {},
    run: async ({ type = 'write-only' }, io) => (await import('./keygen.ts')).runKeygen({ type: type as KeyType }, io),
  },
  {
    name: 'hash',
    summary: 'read a secret from standard input and print its hash',
    options: {},
    exits: { 2: 'usage error, or no secret on standard input', 130: 'given up at the terminal' },
    run: async (_values, io) => (await import('./hash.ts')).runHash(io),
  },
  keysCommand('push', 'copy the key file into Redis', {
    prune: { type: 'boolean', help: 'also delete keys that the file does not hold' },
    'dry-run': { type: 'boolean', help: 'only show what would change' },
  }),
  keysCommand('list', 'show the keys of the configured source', {}),
  keysCommand('pull', 'write the keys in Redis as YAML to standard output', {}),
  {
    name: 'cache purge',
    summary: 'empty the cache of the running sidecar',
    options: { config, admin },
    exits: { 1: 'configuration error, or refused', 70: 'the admin port cannot be asked, or internal error' },
    run: async (values, io) =>
      (await import('./cache-purge.ts')).runCachePurge(
        { config: configOf(values, io), admin: givenText(values['admin']) },
        io,
      ),
  },
  {
    name: 'completion',
    summary: 'print a script that completes commands and options',
    argument: { value: 'SHELL', help: SHELLS.join(', '), required: true, choices: SHELLS },
    options: {},
    exits: {},
    run: async ({ [ARGUMENT]: shell }, io) =>
      (await import('./completion.ts')).runCompletion({ shell: shell as Shell, commands: COMMANDS }, io),
  },
];

function keysCommand(
  action: 'push' | 'list' | 'pull',
  summary: string,
  options: Readonly<Record<string, OptionSpec>>,
): Command {
  return {
    name: `keys ${action}`,
    summary,
    options: { config, ...options },
    exits: { 1: 'configuration error', 70: 'Redis cannot be reached, or internal error' },
    run: async (values, io) =>
      (await import('./keys.ts')).runKeys(
        { action, config: configOf(values, io), prune: values['prune'] === true, dryRun: values['dry-run'] === true },
        io,
      ),
  };
}
