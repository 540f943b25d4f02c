import { EventEmitter, once } from 'node:events';
import fs, { rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createFileSource } from '../../src/keys/file-source.ts';
import type { KeySnapshot } from '../../src/keys/key.ts';
import type { KeySourceProblem } from '../../src/keys/source.ts';

const key = (id: string): string => `  - { id: ${id}, type: write-only, secret: secret-of-${id} }\n`;
const keys = (...ids: string[]): string => `keys:\n${ids.map(key).join('')}`;

async function started(t: Test, text: string) {
  const directory = t.testdir({ 'keys.yaml': text });
  const file = join(directory, 'keys.yaml');
  const heard = new EventEmitter();
  const snapshots: KeySnapshot[] = [];
  const problems: KeySourceProblem[] = [];
  let clock = 1000;
  const source = createFileSource({ file, env: {}, now: () => clock++, timing: { settleMs: 20, pollMs: 50 } });
  const alive = setInterval(() => {}, 1000);
  t.teardown(async () => {
    clearInterval(alive);
    await source.close();
  });
  await source.start({
    onKeys: (snapshot) => {
      snapshots.push(snapshot);
      heard.emit('keys');
    },
    onStatus: () => heard.emit('status'),
    onProblem: (problem) => problems.push(problem),
  });
  return { source, file, snapshots, problems, next: (what: 'keys' | 'status') => once(heard, what) };
}
const idsOf = (snapshot: KeySnapshot | undefined): string[] => [...(snapshot?.byId.keys() ?? [])];

t.test('what kept a file from being read may pass while the file stays as it is', async (t) => {
  const { source, file, snapshots, problems, next } = await started(t, keys('a'));
  const { openSync } = fs;
  const restore = (): void => {
    fs.openSync = openSync;
    syncBuiltinESMExports();
  };
  t.teardown(restore);
  let refused = 0;
  const refusedTwice = new Promise<void>((resolve) => {
    fs.openSync = (...asked: Parameters<typeof openSync>) => {
      if (asked[0] !== file) return openSync(...asked);
      if (++refused === 2) resolve();
      throw Object.assign(new Error('refused'), { code: 'EMFILE' });
    };
  });
  syncBuiltinESMExports();
  const down = next('status');
  writeFileSync(file, keys('b'));
  await down;
  t.equal(source.status().up, false);
  await refusedTwice;
  const change = next('keys');
  restore();
  await change;
  t.same(idsOf(snapshots.at(-1)), ['b'], 'nobody touched the file again');
  t.equal(problems.length, 1, 'what is wrong is told once');
});

t.test('reads at start and at each change', async (t) => {
  const { source, file, snapshots, next } = await started(t, keys('a'));
  t.same(idsOf(snapshots[0]), ['a']);
  t.same(source.status(), { up: true, lastSyncAt: 1000, invalidDefinitions: 0, loaded: true, why: null });
  for (const ids of [['a', 'b'], ['b']]) {
    const change = next('keys');
    writeFileSync(file, keys(...ids));
    await change;
    t.same(idsOf(snapshots.at(-1)), ids);
  }
  t.same(
    snapshots.map(({ version }) => version),
    [1, 2, 3],
  );
});

for (const [name, spoil] of Object.entries({
  'a mistake': (file: string) => writeFileSync(file, `${keys('a')}  - { id: B }\n`),
  'an empty file': (file: string) => writeFileSync(file, ''),
  'a file cut short': (file: string) => writeFileSync(file, keys('a', 'b').slice(0, -20)),
  'a missing file': (file: string) => rmSync(file),
}))
  t.test(`${name} changes nothing, is told, and is over when the file is right again`, async (t) => {
    const { source, file, snapshots, problems, next } = await started(t, keys('a'));
    const spoilt = next('status');
    spoil(file);
    await spoilt;
    t.equal(snapshots.length, 1, 'the last keys stay');
    t.match(source.status(), { up: false, loaded: true, lastSyncAt: 1000, why: /^.*keys\.yaml:\d+:\d+ error / });
    t.match(problems[0], { severity: 'error', message: source.status().why ?? '-' });
    const mended = next('keys');
    writeFileSync(file, keys('a', 'c'));
    await mended;
    t.same(idsOf(snapshots.at(-1)), ['a', 'c']);
    t.match(source.status(), { up: true, why: null });
  });

t.test('a file that is wrong at start gives no keys until it is right', async (t) => {
  const { source, file, snapshots, next } = await started(t, 'keys:\n');
  t.match(source.status(), { up: false, loaded: false, lastSyncAt: null });
  t.same(snapshots, []);
  const mended = next('keys');
  writeFileSync(file, keys('a'));
  await mended;
  t.equal(source.status().loaded, true);
});

t.test('reload reads at once', async (t) => {
  const { source, file, snapshots } = await started(t, keys('a'));
  writeFileSync(file, keys('z'));
  await source.reload();
  t.same(idsOf(snapshots.at(-1)), ['z']);
});

t.test('nothing is heard after close', async (t) => {
  const { source, file, snapshots } = await started(t, keys('a'));
  await source.close();
  writeFileSync(file, keys('z'));
  await source.reload();
  t.equal(snapshots.length, 1);
});

t.test('changes that come while a large file is read are read after it, once', async (t) => {
  const many = (mark: string): string[] => Array.from({ length: 1500 }, (_, index) => `${mark}${index}`);
  const { source, file, snapshots } = await started(t, keys(...many('a')));
  const readings = ['b', 'c', 'd'].map((mark) => {
    writeFileSync(file, keys(...many(mark)));
    return source.reload();
  });
  await Promise.all(readings);
  t.equal(idsOf(snapshots.at(-1))[0], 'd0');
  t.ok(snapshots.length <= 3, `${snapshots.length} sets of keys: the first, one under way, one after it`);
});

t.test('a file is followed after a reload as before it', async (t) => {
  const { source, file, snapshots, next } = await started(t, keys('a'));
  await source.reload();
  const change = next('keys');
  writeFileSync(file, keys('z'));
  await change;
  t.same(idsOf(snapshots.at(-1)), ['z']);
});

t.test('a file that a reference reads is followed as well', async (t) => {
  const text = '  - { id: a, type: write-only, secret: "${file:secret}" }\n';
  const { file, snapshots, next } = await started(t, keys('b'));
  const secret = join(file, '..', 'secret');
  writeFileSync(secret, 'the-first-secret');
  const named = next('keys');
  writeFileSync(file, `keys:\n${text}`);
  await named;
  const changed = next('keys');
  writeFileSync(secret, 'the-second-secret');
  await changed;
  t.not(snapshots.at(-1)?.byId.get('a')?.secrets[0]?.digest, snapshots.at(-2)?.byId.get('a')?.secrets[0]?.digest);
});

t.test('what a key and a policy name must be among the configured APIs, as they are now', async (t) => {
  const file = join(
    t.testdir({ 'keys.yaml': 'keys:\n  - { id: a, type: write-only, secret: s, apis: [orders] }\n' }),
    'keys.yaml',
  );
  let apis = ['orders'];
  const snapshots: KeySnapshot[] = [];
  const source = createFileSource({ file, env: {}, apis: () => apis, now: () => 1 });
  const alive = setInterval(() => {}, 1000);
  t.teardown(async () => {
    clearInterval(alive);
    await source.close();
  });
  await source.start({ onKeys: (snapshot) => snapshots.push(snapshot), onProblem: () => undefined });
  t.equal(snapshots.length, 1);
  apis = ['others'];
  await source.reload();
  t.match(source.status(), { up: false, why: /apis\[0\] is the name of no API/ });
  t.equal(snapshots.length, 1);
});

t.test('a change that comes after the file was read, and before that is over, is not missed', async (t) => {
  const file = join(t.testdir(), 'keys.yaml');
  let text = keys('a').replace('secret-of-a', '"${SECRET}"');
  writeFileSync(file, text);
  let changesTo: string | null = null;
  const env = {
    get SECRET() {
      if (changesTo !== null) writeFileSync(file, changesTo);
      changesTo = null;
      return 'of the environment';
    },
  };
  const heard = new EventEmitter();
  const source = createFileSource({ file, env, now: () => 1, timing: { settleMs: 20, pollMs: 50 } });
  const alive = setInterval(() => {}, 1000);
  t.teardown(async () => {
    clearInterval(alive);
    await source.close();
  });
  let latest: KeySnapshot | undefined;
  const changed = () => once(heard, 'keys');
  changesTo = text.replace('id: a', 'id: b');
  await source.start({
    onKeys: (snapshot) => {
      latest = snapshot;
      heard.emit('keys');
    },
    onProblem: () => undefined,
  });
  t.same(idsOf(latest), ['a']);
  await changed();
  t.same(idsOf(latest), ['b']);

  text = text.replace('id: a', 'id: c');
  writeFileSync(file, text);
  await changed();
  t.same(idsOf(latest), ['c']);
  changesTo = text.replace('id: c', 'id: d');
  await source.reload();
  t.same(idsOf(latest), ['c']);
  await changed();
  t.same(idsOf(latest), ['d']);
});

t.test('a large file is read without a thread at the start, and in one when requests may wait', async (t) => {
  let threads = 0;
  const count = (): number => (threads += 1);
  process.on('worker', count);
  t.teardown(() => process.off('worker', count));
  const { source, snapshots } = await started(t, keys(...Array.from({ length: 1500 }, (_, index) => `key-${index}`)));
  t.equal(threads, 0);
  await source.reload();
  t.equal(threads, 1);
  t.same(
    snapshots.map(({ byId }) => byId.size),
    [1500, 1500],
  );
});
