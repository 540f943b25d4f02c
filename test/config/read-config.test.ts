import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import workers from 'node:worker_threads';
import t from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import { readConfig } from '../../src/config/read-config.ts';

const API = 'apis:\n  integration:\n    upstream: ${UPSTREAM}\n    routes:\n';
const ROUTES = Array.from(
  { length: 500 },
  (_, n) => `      - { method: POST, path: /v1/thing${n}/:id, events: name }\n`,
);
const env = { UPSTREAM: 'http://127.0.0.1:9000' };

// What reads a configuration keeps no process alive, so something else has to.
const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));

t.test(
  'a large configuration says the same as when it is read at once, and requests are served meanwhile',
  async (t) => {
    const file = join(t.testdir({ 'postern.yaml': API + ROUTES.join('') }), 'postern.yaml');
    let turns = 0;
    const count = setInterval(() => turns++, 1);
    const read = await readConfig({ file, env });
    clearInterval(count);
    t.ok(turns > 0);
    t.same(read, loadConfig(file, env));
    t.equal(read.config?.apis.integration?.routes?.length, 500);
    t.not(read.config, null);
  },
);

t.test('one that names an OpenAPI document counts as large', async (t) => {
  const paths = Array.from({ length: 300 }, (_, n) => `  /thing${n}/{id}: { post: {}, get: {} }\n`);
  const directory = t.testdir({
    'postern.yaml': 'apis: { a: { upstream: "http://127.0.0.1:9000", openapi: api.yaml } }\n',
    'api.yaml': `openapi: 3.1.0\npaths:\n${paths.join('')}`,
  });
  const file = join(directory, 'postern.yaml');
  let turns = 0;
  const count = setInterval(() => turns++, 1);
  const read = await readConfig({ file, env });
  clearInterval(count);
  t.ok(turns > 0);
  t.equal(read.config?.apis['a']?.routes?.length, 600);
  t.same(read, loadConfig(file, env));
});

t.test('so do its mistakes', async (t) => {
  const file = join(t.testdir({}), 'postern.yaml');
  writeFileSync(file, `${API}${ROUTES.join('')}lisen: {}\n`);
  const read = await readConfig({ file, env: {} });
  t.equal(read.config, null);
  t.same(read, loadConfig(file, {}));
  t.match(read.problems, [{ message: /UPSTREAM/ }, { message: /lisen/ }]);
});

t.test('a small or missing one is read at once', async (t) => {
  const file = join(t.testdir({ 'postern.yaml': 'apis: {}\n' }), 'postern.yaml');
  t.same(await readConfig({ file, env }), loadConfig(file, env));
  t.same(await readConfig({ file: `${file}.gone`, env }), loadConfig(`${file}.gone`, env));
});

t.test('a process that ends waits for no configuration', async (t) => {
  // Large enough for a thread, and quick to read.
  const text = `apis: { a: { upstream: "${env.UPSTREAM}" } }\n#${'x'.repeat(17_000)}\n`;
  const directory = t.testdir({ 'postern.yaml': text });
  const module = new URL('../../src/config/read-config.js', import.meta.url).href;
  const question = JSON.stringify({ file: join(directory, 'postern.yaml'), env });
  const says = (more: string): string => {
    const script = join(directory, 'script.mjs');
    const read = `void readConfig(${question}).then(({ config }) => process.exit(config === null ? 1 : 7));`;
    writeFileSync(script, `import { readConfig } from ${JSON.stringify(module)};\n${more}${read}\n`);
    return { 0: 'it was not waited for', 7: 'it was read' }[String(spawnSync(process.execPath, [script]).status)] ?? '';
  };
  t.equal(says(''), 'it was not waited for');
  t.equal(says('setInterval(() => {}, 1000);'), 'it was read');
});

t.test('a thread that fails, or ends before its time, is told', async (t) => {
  const { Worker } = workers;
  t.teardown(() => {
    Object.assign(workers, { Worker });
    syncBuiltinESMExports();
  });
  const file = join(t.testdir({ 'postern.yaml': `#${'x'.repeat(17_000)}\n` }), 'postern.yaml');
  for (const [event, what, why] of [
    ['exit', 1, /ended too early/],
    ['error', new Error('no memory'), /no memory/],
  ] as const) {
    class Failing extends EventEmitter {
      unref = (): void => void setImmediate(() => this.emit(event, what));
    }
    Object.assign(workers, { Worker: Failing });
    syncBuiltinESMExports();
    await t.rejects(readConfig({ file, env }), why);
  }
});
