import t from 'tap';
import {
  ARGUMENT,
  commandHelp,
  overviewHelp,
  readArguments,
  unknownCommand,
  type CommandSpec,
} from '../../src/commands/usage.ts';

const command: CommandSpec = {
  name: 'explain',
  summary: 'show something',
  options: {
    config: { type: 'string', value: 'FILE', help: 'the configuration' },
    key: { type: 'string', value: 'SECRET', required: true, help: 'the secret' },
    event: { type: 'string', value: 'NAME', multiple: true, help: 'an event' },
    type: { type: 'string', value: 'TYPE', choices: ['one', 'two'], help: 'which' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  exits: { 0: 'allowed', 3: 'refused' },
};
const read = (...args: string[]) => readArguments(command, args);
const mistake = (...args: string[]): string => {
  const result = read(...args);
  return result.kind === 'mistake' ? result.message : result.kind;
};

t.test('values', async (t) => {
  t.match(read('--key', 'k', '--event', 'a', '--event=b', '--json', '--config=x=y'), {
    kind: 'run',
    values: { key: 'k', event: ['a', 'b'], json: true, config: 'x=y' },
  });
  t.match(read('--key', '-k'), { values: { key: '-k' } }, 'a secret may start with a dash');
  t.match(read('--key=--k'), { values: { key: '--k' } });
  for (const flag of ['--help', '-h']) t.match(read(flag), { kind: 'help' });
});

t.test('mistakes', async (t) => {
  t.equal(mistake('--key', 'k', '--jsn'), '`explain` has no option --jsn; did you mean --json?');
  t.equal(mistake('--key', 'k', '--colour'), '`explain` has no option --colour');
  t.equal(mistake('--constructor'), '`explain` has no option --constructor');
  t.equal(mistake('-k', 'x'), '`explain` has no option -k');
  t.equal(mistake('--key'), '--key needs a value: --key SECRET');
  t.equal(mistake('--key', '--json'), '--key needs a value: --key SECRET');
  t.equal(mistake('--key='), '--key needs a value: --key SECRET');
  t.equal(mistake('--key', 'a', '--key', 'b'), '--key is given twice');
  t.equal(mistake('--key', 'k', '--json=yes'), '--json takes no value');
  t.equal(mistake('--key', 'k', '--type', 'tow'), '--type must be one of one, two; it is "tow"; did you mean two?');
  t.equal(mistake('--key', 'k', 'extra'), '"extra" is one argument too many for `explain`');
  t.equal(mistake('--key', 'k', '--', 'extra'), '"extra" is one argument too many for `explain`');
  t.equal(mistake('--json'), '`explain` needs --key SECRET');
});

t.test('an argument', async (t) => {
  const { options, exits } = command;
  const withArgument = (argument: CommandSpec['argument'] & {}): CommandSpec => ({
    name: 'routes',
    summary: 'print something',
    argument,
    options: { json: options['json'] as (typeof options)[string] },
    exits,
  });
  const file = withArgument({ value: 'FILE', help: 'what to read', required: true });
  t.match(readArguments(file, ['a.yaml', '--json']), { kind: 'run', values: { [ARGUMENT]: 'a.yaml', json: true } });
  t.match(readArguments(file, ['--', '--json']), { kind: 'run', values: { [ARGUMENT]: '--json' } });
  t.match(readArguments(file, ['-']), { kind: 'run', values: { [ARGUMENT]: '-' } });
  t.match(readArguments(file, []), { kind: 'mistake', message: '`routes` needs FILE' });
  t.match(readArguments(file, ['']), { kind: 'mistake', message: '`routes` needs FILE that is not empty' });
  t.match(readArguments(file, ['a', 'b']), { message: '"b" is one argument too many for `routes`' });
  t.match(readArguments(file, ['--help']), { kind: 'help' });
  t.match(readArguments(withArgument({ value: 'DIR', help: 'where' }), []), { kind: 'run' });
  const shell = withArgument({ value: 'SHELL', help: 'which', required: true, choices: ['bash', 'zsh'] });
  t.match(readArguments(shell, ['bsh']), {
    message: 'SHELL must be one of bash, zsh; it is "bsh"; did you mean bash?',
  });
  t.match(readArguments(shell, []), { message: '`routes` needs bash, zsh' });
  t.match(commandHelp(file), /\n {2}FILE +what to read\n {2}--json/);
});

t.test('help', async (t) => {
  const help = commandHelp(command);
  for (const [name, { help: line }] of Object.entries(command.options)) t.match(help, new RegExp(`--${name}.*${line}`));
  t.match(help, /\n\nExit codes: 0 allowed, 2 usage error, 3 refused, 70 internal error\.$/);
  t.match(overviewHelp([command]), /postern explain {2}show something/);
});

t.equal(unknownCommand('chekc', ['check', 'keys push']), 'There is no command "chekc"; did you mean check?');
t.equal(
  unknownCommand('keys', ['check', 'keys push', 'keys list']),
  '`keys` needs one more word: keys push, keys list',
);
t.equal(unknownCommand('xyz', ['check']), 'There is no command "xyz"');
