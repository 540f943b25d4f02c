import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { COMMANDS } from '../../src/commands/all.ts';
import { runCompletion } from '../../src/commands/completion.ts';
import { SHELLS, type Shell } from '../../src/commands/shells.ts';
import { capturedIo } from '../support/command-io.ts';
import { matchesGolden } from '../support/golden.ts';

async function script(t: Test, shell: Shell): Promise<string> {
  const { io, out } = capturedIo();
  t.equal(await runCompletion({ shell, commands: COMMANDS }, io), 0);
  return out.join('\n');
}

t.test('every script knows every command and every option', async (t) => {
  for (const shell of SHELLS) {
    const text = await script(t, shell);
    for (const { name, options } of COMMANDS) {
      for (const word of name.split(' ')) t.ok(text.includes(word), `${shell}: ${word}`);
      for (const option of Object.keys(options)) t.ok(text.includes(option), `${shell}: ${name} ${option}`);
    }
  }
});

t.test('the scripts are as they were', async (t) => {
  for (const shell of SHELLS) matchesGolden(t, `completion.${shell}`, `${await script(t, shell)}\n`);
});

t.test('bash completes by it', async (t) => {
  const text = await script(t, 'bash');
  const complete = (...words: readonly string[]): string[] => {
    const asked = `${text}\nCOMP_WORDS=(postern "$@"); COMP_CWORD=$#; _postern; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', asked, 'bash', ...words], { encoding: 'utf8' });
    t.equal(stderr, '');
    return stdout.split('\n').filter((word) => word !== '');
  };
  t.same(complete('ch'), ['check']);
  t.same(complete('key'), ['keygen', 'keys']);
  t.same(complete('keys', ''), ['push', 'list', 'pull']);
  t.same(complete('keys', 'push', '--p'), ['--prune']);
  t.same(complete('check', '--s'), ['--strict']);
  t.same(complete('keygen', '--type', 'write'), ['write-only']);
  t.same(complete('completion', 'f'), ['fish']);
  for (const begun of ['no-such-', '']) {
    t.same(complete('check', '--config', begun), [], 'file names are left to the shell');
    t.same(complete('keys', 'push', '--config', begun), []);
  }
  t.same(complete('nonsense', 'x'), []);
});
