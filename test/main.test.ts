import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { COMMANDS } from '../src/commands/all.ts';
import { main } from '../src/main.ts';
import { capturedIo } from './support/command-io.ts';
import { matchesGolden } from './support/golden.ts';

async function run(args: readonly string[], given: Parameters<typeof capturedIo>[0] = {}) {
  const { io, out, err } = capturedIo(given);
  return { code: await main(args, io), out: out.join('\n'), err: err.join('\n') };
}

t.test('help and version', async (t) => {
  t.same(await run(['--version']), { code: 0, out: '1.2.3', err: '' });
  for (const args of [['--help'], ['-h'], ['help']])
    t.match(await run(args), { code: 0, out: /postern keys push/, err: '' });
  for (const { name } of COMMANDS)
    for (const flag of ['--help', '-h'])
      t.match(await run([...name.split(' '), flag]), {
        code: 0,
        out: new RegExp(`^postern ${name}: .*\\nExit codes: 0 .*70 .*\\.$`, 's'),
      });
});

t.test('every help is as it was', async (t) => {
  const asked = [
    ['--help'],
    ['keys', '--help'],
    ['cache', '--help'],
    ...COMMANDS.map(({ name }) => [...name.split(' '), '--help']),
  ];
  const helps: string[] = [];
  for (const args of asked) helps.push(`$ postern ${args.join(' ')}\n${(await run(args)).out}\n`);
  matchesGolden(t, 'help.txt', helps.join('\n'));
});

t.test('the first word of several commands has a help of its own', async (t) => {
  for (const flag of ['--help', '-h']) {
    const { code, out } = await run(['keys', flag]);
    t.equal(code, 0);
    t.match(out, /^ {2}postern keys push .*\n {2}postern keys list .*\n {2}postern keys pull .*\n\n/);
    t.notMatch(out, /postern check/);
  }
});

t.test('usage errors are one sentence with a hint, and exit 2', async (t) => {
  for (const [line, says] of Object.entries({
    chekc: 'There is no command "chekc"; did you mean check? See postern --help.',
    keys: '`keys` needs one more word: keys push, keys list, keys pull. See postern --help.',
    cache: '`cache` needs one more word: cache purge. See postern --help.',
    'keys --prune': '`keys` needs one more word: keys push, keys list, keys pull. See postern --help.',
    'keys psuh': 'There is no command "keys psuh"; did you mean keys push? See postern --help.',
    'check --stric': '`check` has no option --stric; did you mean --strict? See postern check --help.',
    '--confg x': '`serve` has no option --confg; did you mean --config? See postern serve --help.',
    'explain --key k': '`explain` needs --ip IP. See postern explain --help.',
  }))
    t.same(await run(line.split(' ')), { code: 2, out: '', err: says }, line);
});

t.test('the configuration: --config, else $POSTERN_CONFIG, else config/postern.yaml', async (t) => {
  const file = join(t.testdir({ 'a.yaml': 'x: 1\n' }), 'a.yaml');
  t.match(await run(['check', '--config', file]), { code: 1, out: new RegExp(`^${file}:1:1 error`) });
  t.match(await run(['check'], { env: { POSTERN_CONFIG: file } }), { code: 1, out: new RegExp(`^${file}:1:1 error`) });
  t.match(await run(['check']), { code: 0, err: /^config\/postern\.yaml: no findings/ });
});

t.test('without a command it serves', async (t) => {
  const file = join(t.testdir({ 'a.yaml': 'listen: { port: x }\n' }), 'a.yaml');
  for (const args of [
    ['--config', file],
    ['serve', '--config', file],
  ])
    t.match(await run(args), { code: 1, err: /listen\.port must be/ });
});

t.test('as a program', async (t) => {
  const postern = (args: readonly string[], input = '') =>
    spawnSync(process.execPath, ['.build/src/main.js', ...args], { encoding: 'utf8', input });
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  t.match(postern(['--version']), { status: 0, stdout: `${version}\n`, stderr: '' });
  t.match(postern(['hash'], 'hunter2\n'), { status: 0, stdout: /^sha256:[0-9a-f]{64}\n$/ });
  const closed = spawnSync(
    'bash',
    ['-c', '"$0" .build/src/main.js completion bash | head -c 1; echo "${PIPESTATUS[0]}"', process.execPath],
    { encoding: 'utf8' },
  );
  t.match(closed, { stdout: '_0\n', stderr: '' }, 'nobody reads on');
  t.match(postern(['nonsense']), { status: 2, stderr: /^There is no command "nonsense"/ });
});

t.test('a program whose output nobody reads any more has done what it should', async (t) => {
  const child = spawn(process.execPath, ['.build/src/main.js', '--version'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (text) => (said += String(text)));
  t.same(await once(child, 'close'), [0, null]);
  t.equal(said, '');
});

t.test('a program whose mistakes nobody reads any more ends as it would', async (t) => {
  const child = spawn(process.execPath, ['.build/src/main.js', 'nonsense'], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.destroy();
  const [code] = (await once(child, 'exit')) as [number | null];
  t.equal(code, 2);
});

t.test('an error that nobody expected is one sentence, and its stack is for those who ask', (t) => {
  const folder = t.testdir({
    'broken.cjs': `process.stdout.write = () => { throw new Error('as the test says'); };`,
    'odd.cjs': `process.stdout.write = () => { throw 'no error at all'; };`,
  });
  const broken = (env: NodeJS.ProcessEnv, how = 'broken.cjs') =>
    spawnSync(process.execPath, ['--require', join(folder, how), '.build/src/main.js', '--version'], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
  const plain = broken({});
  t.same([plain.status, plain.stderr], [70, 'Internal error, please report it: as the test says\n']);
  t.match(broken({ POSTERN_DEBUG: '1' }).stderr, /^Internal error, please report it: Error: as the test says\n +at /);
  t.match(broken({ POSTERN_DEBUG: '1' }, 'odd.cjs').stderr, /: no error at all\n$/);
  t.end();
});

t.test('output that cannot be written is told', (t) => {
  const full = spawnSync(process.execPath, ['.build/src/main.js', '--version'], {
    encoding: 'utf8',
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  });
  t.match([full.status, full.stderr], [70, /^Standard output cannot be written: ENOSPC/]);
  t.end();
});
