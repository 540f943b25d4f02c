#!/usr/bin/env node
/**
 * The command line: finds the command, reads its arguments, runs it, and turns what comes of it into an exit code.
 * What a command does is in commands/; each is loaded only when it is asked for.
 */
// First: from here on signals do what they should.
import { IS_COMMAND_LINE, processSignals } from './signals.ts';
import { existsSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { CommandIo } from './commands/io.ts';
import {
  commandHelp,
  overviewHelp,
  readArguments,
  unknownCommand,
  type CommandSpec,
  type OptionSpec,
  type OptionValues,
} from './commands/usage.ts';
import { KEY_TYPES, type KeyType } from './keys/key.ts';

interface Command extends CommandSpec {
  readonly run: (values: OptionValues, io: CommandIo) => Promise<number>;
}

const USAGE_ERROR = 2;
const INTERNAL_ERROR = 70;

const config: OptionSpec = {
  type: 'string',
  value: 'FILE',
  help: 'the configuration (default: $POSTERN_CONFIG, else config/postern.yaml)',
};

const configOf = ({ config: file }: OptionValues, { env }: CommandIo): string =>
  typeof file === 'string' ? file : env['POSTERN_CONFIG'] || 'config/postern.yaml';

const textOf = (value: OptionValues[string]): string => (typeof value === 'string' ? value : '');
const listOf = (value: OptionValues[string]): readonly string[] => (Array.isArray(value) ? value : []);

const COMMANDS: readonly Command[] = [
  {
    name: 'serve',
    summary: 'run the sidecar',
    options: { config },
    run: async (values, io) => (await import('./commands/serve.ts')).runServe({ config: configOf(values, io) }, io),
  },
  {
    name: 'check',
    summary: 'validate the configuration and the keys',
    options: { config, strict: { type: 'boolean', help: 'let warnings count as errors' } },
    run: async (values, io) =>
      (await import('./commands/check.ts')).runCheck(
        { config: configOf(values, io), strict: values['strict'] === true },
        io,
      ),
  },
  {
    name: 'explain',
    summary: 'show, step by step, what would become of a request',
    options: {
      config,
      key: { type: 'string', value: 'SECRET', required: true, help: 'the secret that the request carries' },
      ip: { type: 'string', value: 'IP', required: true, help: 'the address that it comes from' },
      method: { type: 'string', value: 'M', required: true, help: 'its method' },
      path: { type: 'string', value: 'P', required: true, help: 'its path, with the query if it has one' },
      event: {
        type: 'string',
        value: 'NAME',
        multiple: true,
        help: 'the name of an event in its body; may be repeated',
      },
      origin: { type: 'string', value: 'O', help: 'the origin of the page that sends it' },
      json: { type: 'boolean', help: 'print JSON' },
    },
    run: async (values, io) =>
      (await import('./commands/explain.ts')).runExplain(
        {
          config: configOf(values, io),
          key: textOf(values['key']),
          ip: textOf(values['ip']),
          method: textOf(values['method']),
          path: textOf(values['path']),
          events: listOf(values['event']),
          origin: typeof values['origin'] === 'string' ? values['origin'] : null,
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
    run: async ({ type = 'write-only' }, io) =>
      (await import('./commands/keygen.ts')).runKeygen({ type: type as KeyType }, io),
  },
  {
    name: 'hash',
    summary: 'read a secret from standard input and print its hash',
    options: {},
    run: async (_values, io) => (await import('./commands/hash.ts')).runHash(io),
  },
  keysCommand('push', 'copy the key file into Redis', {
    prune: { type: 'boolean', help: 'also delete keys that the file does not hold' },
    'dry-run': { type: 'boolean', help: 'only show what would change' },
  }),
  keysCommand('list', 'show the keys of the configured source', {}),
  keysCommand('pull', 'write the keys in Redis as YAML to standard output', {}),
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
    run: async (values, io) =>
      (await import('./commands/keys.ts')).runKeys(
        { action, config: configOf(values, io), prune: values['prune'] === true, dryRun: values['dry-run'] === true },
        io,
      ),
  };
}

/** Runs the command line without the program's own name. Resolves to the exit code. */
export async function main(args: readonly string[], io: CommandIo): Promise<number> {
  if (args[0] === '--version') return print(io, io.version);
  if (args[0] === '--help' || args[0] === 'help') return print(io, overviewHelp(COMMANDS));
  const { command, rest } = findCommand(args);
  if (command === undefined) {
    const names = COMMANDS.map(({ name }) => name);
    return misused(io, unknownCommand(rest.join(' '), names), 'postern --help');
  }
  const read = readArguments(command, rest);
  if (read.kind === 'help') return print(io, commandHelp(command));
  if (read.kind === 'mistake') return misused(io, read.message, `postern ${command.name} --help`);
  return command.run(read.values, io);
}

/** The command that the first words name; without any, the sidecar runs. */
function findCommand(args: readonly string[]): { command: Command | undefined; rest: readonly string[] } {
  const [first, second] = args;
  if (first === undefined || first.startsWith('-')) return { command: named('serve'), rest: args };
  const command = named(first);
  if (command !== undefined) return { command, rest: args.slice(1) };
  if (second === undefined || second.startsWith('-')) return { command, rest: [first] };
  const double = named(`${first} ${second}`);
  return double === undefined
    ? { command: undefined, rest: first === 'keys' ? [first, second] : [first] }
    : { command: double, rest: args.slice(2) };
}

const named = (name: string): Command | undefined => COMMANDS.find((command) => command.name === name);

function print(io: CommandIo, what: string): number {
  io.stdout(what);
  return 0;
}

function misused(io: CommandIo, what: string, hint: string): number {
  io.stderr(`${what}${what.endsWith('?') ? '' : '.'} See ${hint}.`);
  return USAGE_ERROR;
}

/** The nearest package.json above this file: how deep it lies depends on where it was compiled to. */
function packageVersion(): string {
  const files = ['../package.json', '../../package.json'].map((path) => new URL(path, import.meta.url));
  const file = files.find((candidate) => existsSync(candidate));
  if (file === undefined) throw new Error('package.json is missing from the installation');
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}

/** An error that nobody expected: one sentence, and a stack trace only for those who ask for it. */
function internalError(error: unknown): number {
  const message = error instanceof Error ? error.message : String(error);
  const detail = process.env['POSTERN_DEBUG'] && error instanceof Error ? error.stack : message;
  process.stderr.write(`Internal error, please report it: ${detail}\n`);
  return INTERNAL_ERROR;
}

if (IS_COMMAND_LINE) {
  process.exitCode = await main(process.argv.slice(2), {
    stdout: (what) => process.stdout.write(`${what}\n`),
    stderr: (what) => process.stderr.write(`${what}\n`),
    stdin: () => text(process.stdin),
    env: process.env,
    version: packageVersion(),
    signals: processSignals,
  }).catch(internalError);
}
