import t from 'tap';
import {
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
  t.match(read('--help'), { kind: 'help' });
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

t.test('help', async (t) => {
  const help = commandHelp(command);
  for (const [name, { help: line }] of Object.entries(command.options)) t.match(help, new RegExp(`--${name}.*${line}`));
  t.match(overviewHelp([command]), /postern explain {2}show something/);
});

t.equal(unknownCommand('chekc', ['check', 'keys push']), 'There is no command "chekc"; did you mean check?');
t.equal(unknownCommand('keys', ['check', 'keys push', 'keys list']), '`keys` is one of keys push, keys list');
t.equal(unknownCommand('xyz', ['check']), 'There is no command "xyz"');
