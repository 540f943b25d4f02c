#!/usr/bin/env node
/**
 * The command line: finds the command, reads its arguments, runs it, and turns what comes of it into an exit code.
 * Which commands there are stands in commands/all.ts.
 */
// First: from here on signals do what they should.
import { IS_COMMAND_LINE, processSignals } from './signals.ts';
import { existsSync, readFileSync } from 'node:fs';
import type { CommandIo } from './commands/io.ts';
import { readSecret } from './commands/read-secret.ts';
import { COMMANDS, type Command } from './commands/all.ts';
import { commandHelp, groupHelp, overviewHelp, readArguments, unknownCommand } from './commands/usage.ts';

const USAGE_ERROR = 2;
const INTERNAL_ERROR = 70;
/** Of a process that SIGINT ended, as shells tell it. */
const INTERRUPTED = 130;

/** Runs the command line without the program's own name. Resolves to the exit code. */
export async function main(args: readonly string[], io: CommandIo): Promise<number> {
  if (args[0] === '--version') return print(io, io.version);
  if (args[0] === '--help' || args[0] === '-h' || args[0] === 'help') return print(io, overviewHelp(COMMANDS));
  const { command, rest } = findCommand(args);
  if (command === undefined) {
    const group = COMMANDS.filter(({ name }) => name.startsWith(`${args[0]} `));
    if (group.length > 0 && (args[1] === '--help' || args[1] === '-h')) return print(io, groupHelp(group));
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

/**
 * Whoever reads what is printed may have seen enough: `postern keys list | head`. The log of the sidecar has its own ways.
 */
function outputFailed(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`Standard output cannot be written: ${error.message}\n`);
  process.exit(INTERNAL_ERROR);
}

/** Whoever gives up at a terminal ends the command, as by Ctrl-C anywhere else. */
async function secretOrExit(): Promise<string> {
  return (await readSecret(process.stdin, (what) => process.stderr.write(what))) ?? process.exit(INTERRUPTED);
}

if (IS_COMMAND_LINE) {
  process.stdout.on('error', outputFailed);
  // There is nobody left to tell.
  process.stderr.on('error', () => undefined);
  process.exitCode = await main(process.argv.slice(2), {
    stdout: (what) => process.stdout.write(`${what}\n`),
    stderr: (what) => process.stderr.write(`${what}\n`),
    secret: secretOrExit,
    env: process.env,
    version: packageVersion(),
    signals: processSignals,
  }).catch(internalError);
}
