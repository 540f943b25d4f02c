/** The command line at a terminal, and with pipes that nobody reads any more. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { hashSecret } from '../../src/keys/secret-hash.ts';
import { requireTool } from '../support/tools.ts';

const MAIN = '.build/src/main.js';
const SECRET = 'secret-of-the-server-key';

/** Types into a command at a terminal as soon as it asks. Resolves with all that the terminal showed, and the exit code. */
async function atTerminal(args: readonly string[], keys: string): Promise<{ shown: string; code: number | null }> {
  const script = requireTool('script', 'bsdutils');
  const command = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn(script, ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (!shown.includes('not shown') && (shown + text).includes('not shown')) child.stdin.write(keys);
    shown += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { shown, code };
}

function project(t: Test, keys: number): string {
  const lines = Array.from({ length: keys }, (_, i) => `  - { id: k${i}, type: read-write, secret: ${SECRET}-${i} }\n`);
  const folder = t.testdir({
    'postern.yaml': 'apis: { integration: { upstream: "http://127.0.0.1:9" } }\n',
    'keys.yaml': `keys:\n  - { id: server, type: read-write, secret: ${SECRET} }\n${lines.join('')}`,
  });
  return join(folder, 'postern.yaml');
}

t.test('hash asks at a terminal, and shows the hash alone', async (t) => {
  const { shown, code } = await atTerminal(['hash'], `${SECRET}\r`);
  t.equal(code, 0);
  t.notMatch(shown, SECRET);
  t.match(shown, new RegExp(`Secret \\(it is not shown\\): [\\r\\n]+${hashSecret(SECRET)}[\\r\\n]+`));
  const gone = await atTerminal(['hash'], 'secre\u0003');
  t.equal(gone.code, 130);
  t.notMatch(gone.shown, /secre\b|sha256/);
});

t.test('explain asks in the same way for the secret that it is to be given', async (t) => {
  const config = project(t, 0);
  const args = ['explain', '--config', config, '--key', '-', '--ip', '192.0.2.1', '--method', 'GET', '--path', '/x'];
  const { shown, code } = await atTerminal(args, `${SECRET}\r`);
  t.equal(code, 0);
  t.match(shown, /credential +ok/);
  t.notMatch(shown, SECRET);
});

t.test('whoever has read enough of standard output or standard error ends the command in silence', async (t) => {
  const config = project(t, 300);
  for (const words of [`keys list --config ${config}`, `check --json --config ${config}`, '--help', 'completion bash'])
    for (const closed of ['| :', '2>&1 | :', '2>&1 >/dev/null | :']) {
      const line = `'${process.execPath}' ${MAIN} ${words} ${closed}`;
      const { stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8' });
      t.equal(stdout, '', line);
      t.notMatch(stderr, /Error|EPIPE|\bat /, line);
    }
});

t.test('a full disk is told in a sentence', async (t) => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [MAIN, '--help'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(full);
  t.equal(status, 70);
  t.match(stderr, /^Standard output cannot be written: ENOSPC.*\n$/);
});
