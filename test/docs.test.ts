/**
 * Keeps the prose true where a machine can: links lead somewhere, the README's configuration is valid, every dependency is
 * explained.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../src/config/load.ts';
import { loadKeyFile } from '../src/keys/key-file.ts';
import { REFUSALS, type RefusalCode } from '../src/refusal.ts';
import { RUNGS } from '../src/request/rungs.ts';

const pages = [
  ...readdirSync('.').filter((file) => file.endsWith('.md')),
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];
const textOf = (file: string): string => readFileSync(file, 'utf8');

void t.test('links lead to files and headings that exist', async (t) => {
  for (const page of pages) {
    for (const [, target = ''] of textOf(page).matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [path = '', heading] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      t.ok(existsSync(file), `${page}: ${target}`);
      if (heading !== undefined) t.ok(headingsOf(file).includes(heading), `${page}: ${target}`);
    }
  }
});

void t.test('files that pages name exist', async (t) => {
  // The history speaks of files that are gone; the mutation tool writes its page itself.
  for (const page of pages.filter((name) => !['CHANGELOG.md', 'docs/mutation.md'].includes(name)))
    for (const [, file = ''] of textOf(page).matchAll(/`((?:src|test|scripts|config|docs|bench)\/[\w./-]*)`/g))
      if (!file.includes('NAME')) t.ok(existsSync(file), `${page}: ${file}`);
});

void t.test('every decision has a number of its own', async (t) => {
  const files = readdirSync('docs/decisions').toSorted();
  for (const [index, file] of files.entries()) {
    t.equal(Number.parseInt(file, 10), index + 1, file);
    t.match(textOf(join('docs/decisions', file)), new RegExp(`^# ${index + 1}\\. `), file);
  }
});

void t.test("the README's configuration is valid", async (t) => {
  const [config = '', keys = ''] = [...textOf('README.md').matchAll(/```yaml\n(.*?)```/gs)].map(
    (block) => block[1] ?? '',
  );
  const dir = t.testdir({ 'postern.yaml': config, 'keys.yaml': keys });
  const env = {
    WEB_KEY: 'a-secret-of-at-least-20-characters',
    BACKEND_KEY: 'another-secret-of-that-length',
    PARTNER_KEY: 'a-third-secret-of-that-length',
  };
  t.same(loadConfig(join(dir, 'postern.yaml'), env).problems, []);
  t.same(loadKeyFile(join(dir, 'keys.yaml'), env).problems, []);
  t.ok(loadKeyFile(join(dir, 'keys.yaml'), {}).problems.length > 0, 'and it is really read');
});

void t.test('every dependency is explained', async (t) => {
  const manifest = JSON.parse(textOf('package.json')) as Record<string, Record<string, string>>;
  const explained = textOf('docs/dependencies.md');
  for (const name of Object.keys({ ...manifest['dependencies'], ...manifest['devDependencies'] }))
    t.ok(explained.includes(`\`${name}\``), name);
});

function headingsOf(file: string): string[] {
  return [...textOf(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

void t.test('the way of a request is the list of rungs, with every exit and its status', async (t) => {
  const rows = textOf('docs/request-path.md')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .slice(2);
  const modes = { never: '', traffic: 'API, of traffic', api: 'API', key: 'API, key' };
  t.same(
    rows.map(([, name, mode]) => [name, mode]),
    RUNGS.map(({ name, reportable }) => [name, modes[reportable]]),
  );
  const text = textOf('docs/request-path.md');
  for (const code of Object.keys(REFUSALS)) t.ok(text.includes(`\`${code}\``), code);
  for (const [, name, , , exits = ''] of rows) {
    let status = '';
    for (const [, told, code = ''] of exits.matchAll(/(?:(\d{3}) )?`(\w+)`/g)) {
      status = told ?? status;
      t.equal(String(REFUSALS[code as RefusalCode]?.status), status, `${name}: ${code}`);
    }
  }
});
