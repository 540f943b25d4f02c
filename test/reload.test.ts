import { EventEmitter, once } from 'node:events';
import fs, { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import type { Config } from '../src/config/schema.ts';
import { createReloader, followChanges, statusOfFiles } from '../src/reload.ts';
import { configFrom } from './support/passages.ts';

const API = 'apis: { integration: { upstream: "http://127.0.0.1:9000" } }\n';

function reloading(t: Test, apply: (config: Config) => void = () => {}, renew = () => {}) {
  const file = join(t.testdir({ 'postern.yaml': API }), 'postern.yaml');
  const lines: (readonly [string, string, Readonly<Record<string, unknown>> | undefined])[] = [];
  const write = (level: string) => (event: string, fields?: Readonly<Record<string, unknown>>) =>
    void lines.push([level, event, fields]);
  let now = 1;
  const reloader = createReloader(configFrom(file), {
    file,
    env: {},
    apply,
    renew,
    now: () => now++,
    log: { info: write('info'), warn: write('warn'), error: write('error') },
  });
  return { reloader, lines, file, write: (text: string) => writeFileSync(file, text) };
}

t.test('a valid configuration is applied', async (t) => {
  const applied: Config[] = [];
  const { reloader, write, lines, file } = reloading(t, (config) => void applied.push(config));
  t.same(reloader.status(), { lastReloadSuccessful: true, lastLoaded: 1 });
  write(`${API}log: { level: debug }\n`);
  t.same(await reloader.reload(), [file]);
  t.match(applied, [{ log: { level: 'debug' } }]);
  t.same(reloader.status(), { lastReloadSuccessful: true, lastLoaded: 2 });
  t.match(lines, [['info', 'config_reloaded', { file: /postern\.yaml$/ }]]);
});

t.test('an invalid one is not, and every finding is told', async (t) => {
  const { reloader, write, lines, file } = reloading(t, () => t.fail('applied'));
  write('apis: { integration: { upstream: ftp://x } }\nlog: { level: loud }\n');
  t.same(await reloader.reload(), [file], 'still watched');
  t.match(lines, [
    ['error', 'config_problem', { detail: /postern\.yaml:1:\d+ error / }],
    ['error', 'config_problem', { detail: /postern\.yaml:2:\d+ error / }],
    ['error', 'config_reload_failed', { detail: 'the running configuration stays' }],
  ]);
  t.match(reloader.status(), { lastReloadSuccessful: false, lastLoaded: 1 });
});

t.test('a name of an address list that stands for none is a mistake, until the key file has it', async (t) => {
  const applied: Config[] = [];
  const { reloader, write, lines, file } = reloading(t, (config) => void applied.push(config));
  const keys = join(dirname(file), 'keys.yaml');
  const key = 'keys: [{ id: a, type: read-only, secret: "0123456789", apis: [new] }]\n';
  writeFileSync(keys, `${key}addressLists: { office: [192.0.2.1] }\n`);
  write(`listen: { denyFrom: [{ list: offce }] }\n${API}`);
  t.same(await reloader.reload(), [file, keys], 'tried again when the key file changes');
  t.match(lines, [
    ['error', 'config_problem', { detail: /postern\.yaml:1:\d+ error listen\.denyFrom.*; did you mean "office"\?$/ }],
    ['error', 'config_reload_failed', { detail: 'the running configuration stays' }],
  ]);
  t.same(applied, []);
  writeFileSync(keys, `${key}addressLists: { offce: [192.0.2.1] }\n`);
  t.same(await reloader.reload(), [file], 'names that are newer than those in use count');
  t.equal(applied.length, 1);
  t.equal(lines.at(-1)?.[1], 'config_reloaded');
  writeFileSync(keys, 'keys: [');
  await reloader.reload();
  t.equal(applied.length, 2, 'a key file with mistakes hinders no configuration');
});

t.test('a warning is told as one, and hinders nothing', async (t) => {
  const { reloader, write, lines } = reloading(t);
  write(`${API}listen: { trustedProxies: [0.0.0.0/0] }\n`);
  await reloader.reload();
  t.match(lines[0], ['warn', 'config_problem', { detail: /trusts everyone/ }]);
  t.equal(lines.at(-1)?.[1], 'config_reloaded');
});

t.test('one that cannot be put to use counts as failed', async (t) => {
  const { reloader, lines } = reloading(t, () => {
    throw new Error('a file is gone');
  });
  await reloader.reload();
  t.match(lines, [['error', 'config_reload_failed', { error: { message: 'a file is gone' } }]]);
  t.equal(reloader.status().lastReloadSuccessful, false);
});

t.test('one that could not be put to use is no base of the next one', async (t) => {
  const applied: Config[] = [];
  let broken = true;
  const { reloader, write, lines } = reloading(t, (config) => {
    if (broken) throw new Error('not now');
    applied.push(config);
  });
  write(`${API}log: { requests: all }\n`);
  t.equal((await reloader.reload())?.length, 1, 'still watched');
  t.match(reloader.status(), { lastReloadSuccessful: false, lastLoaded: 1 });
  broken = false;
  write(API);
  await reloader.reload();
  t.match(reloader.status(), { lastReloadSuccessful: true, lastLoaded: 2 });
  t.match(applied, [{ log: { requests: 'rejections' } }]);
  t.equal(lines.at(-1)?.[1], 'config_reloaded');
});

t.test('what waits for a restart is named, and stays', async (t) => {
  const applied: Config[] = [];
  const { reloader, write, lines } = reloading(t, (config) => void applied.push(config));
  write(`${API}listen: { port: 1234 }\nlog: { requests: all }\n`);
  await reloader.reload();
  t.match(lines, [
    ['warn', 'config_needs_restart', { fields: ['listen.port'] }],
    ['info', 'config_reloaded', { file: /postern\.yaml$/ }],
  ]);
  t.match(applied, [{ listen: { port: 8080 }, log: { requests: 'all' } }]);
  t.equal(reloader.status().lastReloadSuccessful, true);
});

t.test('what was being read when it was stopped is not put to use', async (t) => {
  const { reloader, write, lines } = reloading(t, () => t.fail('applied'));
  write(`${API}log: { level: debug }\n`);
  const reading = reloader.reload();
  reloader.stop();
  t.equal(await reading, null);
  t.same(lines, []);
});

t.test('changes are followed no faster than they can be taken in, and the last one is', async (t) => {
  const alive = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(alive));
  const file = join(t.testdir({ 'postern.yaml': API }), 'postern.yaml');
  const begun: string[] = [];
  const done: string[] = [];
  const work = (what: string) => async () => {
    begun.push(what);
    await new Promise((resolve) => setImmediate(resolve));
    done.push(what);
  };
  const reload = work('config');
  const changes = followChanges({
    files: [file],
    reloader: { reload: async () => (await reload(), null), stop: () => {} },
    reloadKeys: work('keys'),
  });
  t.teardown(changes.close);
  await Promise.all(Array.from({ length: 50 }, changes.reloadAll));
  t.same(done, ['config', 'keys', 'config', 'keys'], 'one, and one more for all who asked meanwhile');
  writeFileSync(file, `${API}log: { level: debug }\n`);
  while (done.length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
  t.same(begun.slice(4), ['config'], 'a change of its files concerns the configuration alone');
});

t.test('files that a new configuration names are watched from then on, and none after the end', async (t) => {
  const alive = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(alive));
  const folder = t.testdir({ 'postern.yaml': API, 'ca.pem': 'one' });
  const [file, named] = [join(folder, 'postern.yaml'), join(folder, 'ca.pem')];
  const told = new EventEmitter();
  let reloads = 0;
  let stopped = 0;
  const changes = followChanges({
    files: [file],
    reloader: {
      reload: async () => (told.emit('reload', ++reloads), [file, named]),
      stop: () => void stopped++,
    },
    reloadKeys: async () => undefined,
  });
  t.teardown(changes.close);
  await changes.reloadAll();
  t.equal(reloads, 1);
  const again = once(told, 'reload');
  writeFileSync(named, 'another');
  await again;
  t.equal(reloads, 2);
  changes.close();
  t.equal(stopped, 1);
  void changes.reloadAll();
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  t.equal(reloads, 2);
});

t.test('a reload that ends after the end watches nothing any more', async (t) => {
  const alive = setInterval(() => {}, 1000);
  const { watch } = fs;
  let watches = 0;
  fs.watch = ((...args: Parameters<typeof watch>) => (watches++, watch(...args))) as typeof watch;
  syncBuiltinESMExports();
  t.teardown(() => {
    clearInterval(alive);
    fs.watch = watch;
    syncBuiltinESMExports();
  });
  const file = join(t.testdir({ 'postern.yaml': API }), 'postern.yaml');
  for (const ends of ['before', 'after'] as const) {
    const reading = new EventEmitter();
    const changes = followChanges({
      files: [file],
      reloader: { reload: async () => (await once(reading, 'end'), [file]), stop: () => {} },
      reloadKeys: async () => undefined,
    });
    t.teardown(changes.close);
    const before = watches;
    const asked = changes.reloadAll();
    if (ends === 'after') changes.close();
    reading.emit('end');
    await asked;
    t.equal(watches - before, ends === 'before' ? 1 : 0, `it ended ${ends} the end`);
  }
});

t.test('certificates in use are watched, also where the configuration is wrong now', async (t) => {
  const { reloader, write, file } = reloading(t);
  const ca = join(dirname(file), 'ca.pem');
  copyFileSync('test/fixtures/tls/cert.pem', ca);
  const [plain, secure] = [
    API,
    API.replace('http://127.0.0.1:9000"', 'https://127.0.0.1:9000", tls: { caFile: ca.pem }'),
  ];
  write(secure);
  t.same(await reloader.reload(), [file, ca]);
  write('apis: nothing\n');
  t.same(await reloader.reload(), [file, ca], 'those that run');
  write(plain);
  t.same(await reloader.reload(), [file]);
});

t.test('certificates are renewed where the configuration cannot be taken, and that may fail on its own', async (t) => {
  let renewed = 0;
  let isBroken = false;
  const { reloader, write, lines } = reloading(
    t,
    ({ log }) => {
      if (log.requests === 'all') throw new Error('not now');
    },
    () => {
      renewed++;
      if (isBroken) throw new Error('a certificate is gone');
    },
  );
  await reloader.reload();
  t.equal(renewed, 0, 'putting it to use does that');
  write('apis: nothing\n');
  await reloader.reload();
  write(`${API}log: { requests: all }\n`);
  await reloader.reload();
  t.equal(renewed, 2);
  isBroken = true;
  t.ok(Array.isArray(await reloader.reload()), 'still watched');
  t.match(lines.at(-1), ['error', 'config_reload_failed', { error: { message: 'a certificate is gone' } }]);
});

t.test('a file that cannot be read at all is a failed reload, of which nothing is watched anew', async (t) => {
  const { reloader, lines, file } = reloading(t);
  rmSync(file);
  const watched = await reloader.reload();
  t.ok(watched === null || watched.includes(file));
  t.equal(lines.at(-1)?.[1], 'config_reload_failed');
  t.match(reloader.status(), { lastReloadSuccessful: false, lastLoaded: 1 });
});

t.test('all files together are current if each of them is', (t) => {
  const status = (config: boolean, kind: 'file' | 'redis' | null, up: boolean, certificates: boolean) =>
    statusOfFiles(
      { status: () => ({ lastReloadSuccessful: config, lastLoaded: 7 }) },
      kind && ({ kind, status: () => ({ up }) } as never),
      { backendsAreCurrent: () => certificates },
    )();
  t.same(status(true, 'file', true, true), { lastReloadSuccessful: true, lastLoaded: 7 });
  t.equal(status(false, 'file', true, true).lastReloadSuccessful, false);
  t.equal(status(true, 'file', false, true).lastReloadSuccessful, false);
  t.equal(status(true, 'file', true, false).lastReloadSuccessful, false);
  t.equal(status(true, 'redis', false, true).lastReloadSuccessful, true, 'which is told of apart');
  t.equal(status(true, null, false, true).lastReloadSuccessful, true);
  t.end();
});

/** How many folders this process watches, as Linux tells it; elsewhere 0. */
function watchedFolders(): number {
  const folder = '/proc/self/fdinfo';
  if (!existsSync(folder)) return 0;
  const told = readdirSync(folder).map((name) => {
    const file = join(folder, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  });
  return told.join('').match(/^inotify /gm)?.length ?? 0;
}

t.test('what comes of a reading after the end is not watched', async (t) => {
  const file = join(t.testdir({ 'postern.yaml': API }), 'postern.yaml');
  let finish = (): void => {};
  const changes = followChanges({
    files: [file],
    reloader: {
      reload: () => new Promise((resolve) => (finish = () => resolve([file, `${file}.other`]))),
      stop: () => {},
    },
    reloadKeys: async () => undefined,
  });
  const before = watchedFolders();
  void changes.reloadAll();
  await new Promise(setImmediate);
  changes.close();
  finish();
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  t.ok(watchedFolders() < before || before === 0);
});

t.test('a reading that fails is told, unless nobody waits for it any more', async (t) => {
  const { reloader, lines, file } = reloading(t);
  rmSync(file);
  mkdirSync(file);
  t.equal(await reloader.reload(), null);
  t.match(lines, [['error', 'config_reload_failed', { error: { code: 'EISDIR' } }]]);
  t.equal(reloader.status().lastReloadSuccessful, false);
  const reading = reloader.reload();
  reloader.stop();
  t.equal(await reading, null);
  t.equal(lines.length, 1);
});
