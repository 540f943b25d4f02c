/**
 * The command line as a table: commands, their options, their help. Reads arguments against it and says in one sentence what
 * is wrong with them. Runs nothing.
 */
import { parseArgs } from 'node:util';
import { nearestName } from '../config/nearest.ts';

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** What the value is, such as `FILE`; for `string`. */
  readonly value?: string;
  readonly help: string;
  readonly multiple?: boolean;
  readonly required?: boolean;
  readonly choices?: readonly string[];
}

/** What a command takes without an option's name. */
export interface ArgumentSpec {
  /** As help shows it, such as `FILE`. */
  readonly value: string;
  readonly help: string;
  readonly required?: boolean;
  readonly choices?: readonly string[];
}

export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly argument?: ArgumentSpec;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** What its exit codes mean, beside those that every command has. */
  readonly exits: Readonly<Record<number, string>>;
}

/** Values by option name: text, a list of them for `multiple`, or true. The argument is under `ARGUMENT`. */
export type OptionValues = Readonly<Record<string, string | readonly string[] | true | undefined>>;

/** No option has this name. */
export const ARGUMENT = '';

export type ReadArguments =
  | { readonly kind: 'run'; readonly values: OptionValues }
  | { readonly kind: 'help' }
  | { readonly kind: 'mistake'; readonly message: string };

const HELP_OPTION: OptionSpec = { type: 'boolean', help: 'print this (also -h)' };

/** What exit codes mean for every command. */
const COMMON_EXITS: Readonly<Record<number, string>> = { 0: 'done', 2: 'usage error', 70: 'internal error' };

/** Reads the arguments that follow the command's name. */
export function readArguments(command: CommandSpec, args: readonly string[]): ReadArguments {
  const options = new Map(Object.entries({ ...command.options, help: HELP_OPTION }));
  const { tokens } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries([...options].map(([name, { type }]) => [name, { type }])),
      help: { type: 'boolean', short: 'h' },
    },
    strict: false,
    tokens: true,
  });
  const values: Record<string, string | string[] | true | undefined> = Object.create(null);
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      const wrong = mistakeInArgument(token.value, command, values[ARGUMENT] !== undefined);
      if (wrong !== null) return mistake(wrong);
      values[ARGUMENT] = token.value;
      continue;
    }
    const spec = options.get(token.name);
    if (spec === undefined) return mistake(unknownOption(token.rawName, [...options.keys()], command.name));
    const wrong = mistakeInValue(token, spec);
    if (wrong !== null) return mistake(wrong);
    const earlier = values[token.name];
    if (earlier !== undefined && !spec.multiple) return mistake(`${token.rawName} is given twice`);
    if (spec.multiple) values[token.name] = [...(Array.isArray(earlier) ? earlier : []), token.value ?? ''];
    else values[token.name] = spec.type === 'boolean' ? true : (token.value ?? '');
  }
  if (values['help'] !== undefined) return { kind: 'help' };
  const { argument } = command;
  if (argument?.required === true && values[ARGUMENT] === undefined)
    return mistake(`\`${command.name}\` needs ${argument.choices?.join(', ') ?? argument.value}`);
  const missing = Object.entries(command.options).find(
    ([name, { required }]) => required && values[name] === undefined,
  );
  if (missing !== undefined)
    return mistake(`\`${command.name}\` needs --${missing[0]} ${missing[1].value ?? ''}`.trimEnd());
  return { kind: 'run', values };
}

/** The help of one command. */
export function commandHelp({ name, summary, argument, options, exits }: CommandSpec): string {
  const rows = Object.entries({ ...options, help: HELP_OPTION }).map(([option, spec]): [string, string] => [
    `--${option}${spec.value === undefined ? '' : ` ${spec.value}`}`,
    spec.help,
  ]);
  if (argument !== undefined) rows.unshift([argument.value, argument.help]);
  const codes = Object.entries({ ...COMMON_EXITS, ...exits }).map(([code, meaning]) => `${code} ${meaning}`);
  return [`postern ${name}: ${summary}`, '', ...table(rows), '', `Exit codes: ${codes.join(', ')}.`].join('\n');
}

/** The list of the commands that begin with one word. */
export const groupHelp = (commands: readonly CommandSpec[]): string =>
  [...rowsOf(commands), '', 'postern COMMAND --help tells the options and exit codes of a command.'].join('\n');

/** The list of all commands. */
export const overviewHelp = (commands: readonly CommandSpec[]): string =>
  [
    'Postern is a reverse-proxy security sidecar: it decides which API key may do what, and from where.',
    '',
    ...rowsOf(commands),
    '',
    'postern COMMAND --help tells the options of a command; postern --version tells the version.',
    'Without a command, postern serves. Exit codes: 0 done, 1 configuration error, 2 usage error, 70 internal error;',
    'those of a command are in its help.',
  ].join('\n');

const rowsOf = (commands: readonly CommandSpec[]): string[] =>
  table(commands.map(({ name, summary }) => [`postern ${name}`, summary]));

const table = (rows: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
};

interface OptionToken {
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function mistakeInArgument(value: string, { name, argument }: CommandSpec, given: boolean): string | null {
  if (argument === undefined || given) return `${quote(value)} is one argument too many for \`${name}\``;
  if (value === '') return `\`${name}\` needs ${argument.value} that is not empty`;
  const { choices } = argument;
  return choices === undefined || choices.includes(value) ? null : notAmong(argument.value, value, choices);
}

const notAmong = (what: string, value: string, choices: readonly string[]): string =>
  `${what} must be one of ${choices.join(', ')}; it is ${quote(value)}${didYouMean(value, choices)}`;

function mistakeInValue({ rawName, value, inlineValue }: OptionToken, spec: OptionSpec): string | null {
  if (spec.type === 'boolean') return value === undefined ? null : `${rawName} takes no value`;
  // `--config --strict` is a forgotten value, not a file of that name; `--config=--strict` is meant.
  if (value === undefined || value === '' || (!inlineValue && value.startsWith('--')))
    return `${rawName} needs a value: ${rawName} ${spec.value ?? 'VALUE'}`;
  if (spec.choices === undefined || spec.choices.includes(value)) return null;
  return notAmong(rawName, value, spec.choices);
}

function unknownOption(rawName: string, known: readonly string[], command: string): string {
  const nearest = nearestName(rawName.replace(/^-+/, ''), known);
  return `\`${command}\` has no option ${rawName}${nearest === null ? '' : `; did you mean --${nearest}?`}`;
}

/** For a command that does not exist, or is only the first word of some. */
export function unknownCommand(name: string, known: readonly string[]): string {
  const longer = known.filter((candidate) => candidate.startsWith(`${name} `));
  if (longer.length > 0) return `\`${name}\` needs one more word: ${longer.join(', ')}`;
  return `There is no command ${quote(name)}${didYouMean(name, known)}`;
}

const didYouMean = (word: string, known: readonly string[]): string => {
  const nearest = nearestName(word, known);
  return nearest === null ? '' : `; did you mean ${nearest}?`;
};

const mistake = (message: string): ReadArguments => ({ kind: 'mistake', message });

const quote = (text: string): string => JSON.stringify(text);
