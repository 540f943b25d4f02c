/**
 * `postern completion`: scripts by which shells complete commands, options and their choices, made from the same table as the
 * help. Where a value is a file or unknown, the shell completes file names.
 */
import type { CommandIo } from './io.ts';
import type { Shell } from './shells.ts';
import type { CommandSpec } from './usage.ts';

export interface CompletionArguments {
  readonly shell: Shell;
  readonly commands: readonly CommandSpec[];
}

/** Prints the script. Exit code: 0. */
export async function runCompletion({ shell, commands }: CompletionArguments, io: CommandIo): Promise<number> {
  io.stdout(SCRIPTS[shell](commands));
  return 0;
}

const SCRIPTS: Readonly<Record<Shell, (commands: readonly CommandSpec[]) => string>> = {
  bash: (commands) => `${bashFunction(commands)}\ncomplete -o default -F _postern postern`,
  // zsh runs what bash does.
  zsh: (commands) =>
    `#compdef postern\nautoload -U +X bashcompinit && bashcompinit\n${bashFunction(commands)}\ncomplete -o default -F _postern postern`,
  fish: fishScript,
};

/** The command is its first word, or its first two; a choice follows its option; all else is an option or a file. */
function bashFunction(commands: readonly CommandSpec[]): string {
  const cases = commands.flatMap(({ name, options }) =>
    choicesOf(options).map(([option, choices]) => `    '${name} --${option}') words='${choices.join(' ')}' ;;`),
  );
  const words = commands.map(({ name, options, argument }) => {
    const all = [...(argument?.choices ?? []), ...Object.keys(options).map((option) => `--${option}`), '--help'];
    return `    '${name}') words='${all.join(' ')}' ;;`;
  });
  const seconds = [...secondWords(commands)].map(
    ([first, list]) => `    '${first}') if [ "$COMP_CWORD" = 2 ]; then words='${list.join(' ')}'; fi ;;`,
  );
  const firsts = [...new Set(commands.map(({ name }) => name.split(' ')[0]))].join(' ');
  return `_postern() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="\${COMP_WORDS[1]}" words=
  case "$command" in
    ${[...secondWords(commands).keys()].join('|')}) [ "$COMP_CWORD" -gt 2 ] && command="$command \${COMP_WORDS[2]}" ;;
  esac
  case "$command" in
${[...words, ...seconds].join('\n')}
  esac
  [ "$COMP_CWORD" = 1 ] && words='${firsts} --help --version'
  case "$command $previous" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}`;
}

function fishScript(commands: readonly CommandSpec[]): string {
  const line = (condition: string, rest: string): string => `complete -c postern -n ${quoted(condition)} ${rest}`;
  const lines = commands.flatMap(({ name, summary, options, argument }) => {
    const [first = '', second] = name.split(' ');
    const started =
      second === undefined
        ? [line('__fish_use_subcommand', `-f -a ${first} -d ${quoted(summary)}`)]
        : [
            line('__fish_use_subcommand', `-f -a ${first}`),
            line(
              `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${second}`,
              `-f -a ${second} -d ${quoted(summary)}`,
            ),
          ];
    const here = `__fish_seen_subcommand_from ${second ?? first}`;
    const choices = argument?.choices === undefined ? [] : [line(here, `-f -a ${quoted(argument.choices.join(' '))}`)];
    const all = Object.entries(options).map(([option, spec]) => {
      const value = spec.choices === undefined ? '' : ` -f -a ${quoted(spec.choices.join(' '))}`;
      return line(here, `-l ${option}${spec.type === 'string' ? ' -r' : ''}${value} -d ${quoted(spec.help)}`);
    });
    return [...started, ...choices, ...all];
  });
  return [...new Set(lines)].join('\n');
}

/** Of the options with a value; a file, or what nobody knows, is none of a few. */
const choicesOf = (options: CommandSpec['options']): (readonly [option: string, choices: readonly string[]])[] =>
  Object.entries(options).flatMap(([option, { type, choices = [] }]) =>
    type === 'string' ? [[option, choices] as const] : [],
  );

/** Of the commands of two words: what may follow each first one. */
function secondWords(commands: readonly CommandSpec[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { name } of commands) {
    const [first = '', second] = name.split(' ');
    if (second !== undefined) found.set(first, [...(found.get(first) ?? []), second]);
  }
  return found;
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
