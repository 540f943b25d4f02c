import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import files from 'node:fs/promises';
import { createServer } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createAddressLists } from '../../src/keys/address-lists.ts';
import type { AddressListDefinition } from '../../src/keys/list-definition.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { CONNECT_MS } from '../../src/lib/redis-client.ts';
import { eventually } from '../support/eventually.ts';

const TIMING = { retryMs: 20, minuteMs: 20, watch: { settleMs: 5, pollMs: 20 } };

function keep(t: Test, definitions: Record<string, AddressListDefinition>) {
  const problems: string[] = [];
  let changes = 0;
  const lists = createAddressLists({
    now: () => 7,
    onChange: () => (changes += 1),
    onProblem: ({ message }) => problems.push(message),
    timing: TIMING,
  });
  t.teardown(() => lists.close());
  return {
    lists,
    problems,
    changes: () => changes,
    tried: lists.use(new Map(Object.entries(definitions))),
    use: (next: Record<string, AddressListDefinition>) => lists.use(new Map(Object.entries(next))),
    holds: (name: string, address: string) => lists.current().get(name)?.has(parseAddress(address)) ?? null,
    status: (name: string) => lists.status().find((list) => list.name === name),
  };
}
const literal = (...addresses: string[]): AddressListDefinition => ({
  kind: 'literal',
  entries: addresses.map((address) => ({ address, description: '' })),
});
const many = (count: number): string => Array.from({ length: count }, (_, i) => `10.0.${i}.0/24`).join('\n');

t.test('literal lists', async (t) => {
  const { tried, use, holds, status, lists } = keep(t, { a: literal('192.0.2.1'), none: literal() });
  await tried;
  t.same([holds('a', '192.0.2.1'), holds('a', '192.0.2.2'), holds('none', '192.0.2.1')], [true, false, false]);
  t.equal(lists.isComplete(), true);
  t.same(status('a'), { name: 'a', up: true, entries: 1, lastSuccessAt: 7, why: null });
  const before = lists.current();
  await use({ a: literal('192.0.2.2') });
  t.same([holds('a', '192.0.2.1'), holds('a', '192.0.2.2'), holds('none', '192.0.2.1')], [false, true, null]);
  t.equal(before.get('a')?.has(parseAddress('192.0.2.1')), true, 'who took the lists keeps them');
});

t.test('a list that is now to be read from elsewhere tells of the copy that serves until it was', async (t) => {
  const file = join(t.testdir(), 'list.txt');
  const { tried, use, holds, status } = keep(t, { a: literal('192.0.2.1', '192.0.2.2', ...many(20).split('\n')) });
  await tried;
  await use({ a: { kind: 'file', file } });
  t.equal(holds('a', '192.0.2.1'), true);
  t.same([status('a')?.up, status('a')?.entries, status('a')?.lastSuccessAt], [false, 22, 7]);
  writeFileSync(file, '192.0.2.3\n');
  await eventually(async () => holds('a', '192.0.2.3') === true, 'the first reading of the file');
  t.same([status('a')?.up, status('a')?.entries], [true, 1], 'another list may be shorter');
});

t.test('a list in a file follows the file, and a swap of the link to it', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'list.txt');
  const { tried, holds, status, problems, lists } = keep(t, { f: { kind: 'file', file } });
  await tried;
  t.same([lists.isComplete(), lists.current().has('f')], [false, false], 'it is not there yet');
  t.match(problems, [/list f is not usable: .*ENOENT; there is no copy of it yet/]);
  for (const name of ['one', 'two']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'one', 'list.txt'), '192.0.2.1\n');
  writeFileSync(join(folder, 'two', 'list.txt'), '192.0.2.2\n');
  symlinkSync('one', join(folder, 'data'));
  symlinkSync(join('data', 'list.txt'), file);
  await eventually(async () => holds('f', '192.0.2.1') === true, 'the first reading');
  symlinkSync('two', join(folder, 'next'));
  renameSync(join(folder, 'next'), join(folder, 'data'));
  await eventually(async () => holds('f', '192.0.2.2') === true, 'the swap');
  writeFileSync(join(folder, 'two', 'list.txt'), '');
  await eventually(async () => status('f')?.up === false, 'the empty file');
  t.equal(holds('f', '192.0.2.2'), true, 'the last good copy');
  t.match(problems.at(-1), /it holds no address; the last good copy goes on serving/);
  writeFileSync(join(folder, 'two', 'list.txt'), '192.0.2.3\n');
  await eventually(async () => holds('f', '192.0.2.3') === true, 'the next good one');
  t.equal(status('f')?.up, true);
});

t.test('a list at a URL is read again, and believed only when it can be', async (t) => {
  let answer: () => string | number = () => 503;
  const server = createServer((_, res) => {
    const next = answer();
    if (typeof next === 'number') res.writeHead(next).end();
    else res.end(next);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { tried, holds, status, lists } = keep(t, { u: { kind: 'url', url, refreshMinutes: 1, maxEntries: 100 } });
  await tried;
  t.equal(lists.isComplete(), false);
  answer = () => many(50);
  await eventually(async () => lists.isComplete(), 'another try');
  t.equal(holds('u', '10.0.49.1'), true);
  for (const [bad, why] of [
    [503, /status 503/],
    ['<html></html>', /line 1 is no address/],
    ['{}', /line 1 is no address/],
    ['', /holds no address/],
    [many(101), /101 entries, more than the 100/],
    [many(5), /5 entries, where it had 50/],
  ] as const) {
    answer = () => bad;
    await eventually(async () => why.test(status('u')?.why ?? ''), String(why));
    t.same([status('u')?.up, status('u')?.entries, holds('u', '10.0.49.1')], [false, 50, true], String(why));
  }
  answer = () => many(6);
  await eventually(async () => status('u')?.up === true, 'one that shrank less');
  t.same([status('u')?.entries, holds('u', '10.0.49.1')], [6, false]);
});

t.test('a list that is to be read more often is the same list, and one at another URL is not', async (t) => {
  let text = many(50);
  const server = createServer((_, res) => void res.end(text));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list`;
  const { tried, use, holds, status } = keep(t, { u: { kind: 'url', url, refreshMinutes: 1000, maxEntries: 100 } });
  await tried;
  text = '192.0.2.1';
  await use({ u: { kind: 'url', url, refreshMinutes: 999, maxEntries: 100 } });
  t.match(status('u'), { up: false, entries: 50, lastSuccessAt: 7, why: 'it has 1 entries, where it had 50' });
  t.same([holds('u', '10.0.49.1'), holds('u', '192.0.2.1')], [true, false]);
  await use({ u: { kind: 'url', url: `${url}/other`, refreshMinutes: 999, maxEntries: 100 } });
  t.match(status('u'), { up: true, entries: 1, why: null });
  t.same([holds('u', '10.0.49.1'), holds('u', '192.0.2.1')], [false, true]);
});

t.test('what kept a file from being read may pass while the file stays as it is', async (t) => {
  const file = join(t.testdir({ 'list.txt': '192.0.2.1\n' }), 'list.txt');
  const { tried, holds, status, problems } = keep(t, { f: { kind: 'file', file } });
  await tried;
  const { open } = files;
  const restore = (): void => {
    files.open = open;
    syncBuiltinESMExports();
  };
  t.teardown(restore);
  let refused = 0;
  files.open = () => {
    refused += 1;
    return Promise.reject(Object.assign(new Error('refused'), { code: 'EMFILE' }));
  };
  syncBuiltinESMExports();
  writeFileSync(file, '192.0.2.2\n');
  await eventually(async () => refused > 1 && status('f')?.up === false, 'two readings that fail');
  restore();
  await eventually(async () => holds('f', '192.0.2.2') === true, 'a reading that nobody asked for');
  t.equal(problems.length, 2, 'that it cannot be read, and that it can be again, each once');
});

t.test('a file that a list has only now is followed as well', async (t) => {
  const folder = t.testdir({ 'one.txt': '192.0.2.1\n', 'two.txt': '192.0.2.2\n' });
  const [one, two] = ['one.txt', 'two.txt'].map((name) => join(folder, name)) as [string, string];
  const { tried, use, holds } = keep(t, { a: { kind: 'file', file: one } });
  await tried;
  await use({ a: { kind: 'file', file: one }, b: { kind: 'file', file: two } });
  t.equal(holds('b', '192.0.2.2'), true);
  writeFileSync(two, '192.0.2.3\n');
  await eventually(async () => holds('b', '192.0.2.3') === true, 'the second file');
});

/** A server of lists that counts who asks for which. Answers for `/old` go to `waiting`, if it is given. */
async function listServer(t: Test, answer: (path: string) => string | number, waiting?: (() => void)[]) {
  const asked = new Map<string, number>();
  const server = createServer(({ url = '' }, res) => {
    asked.set(url, (asked.get(url) ?? 0) + 1);
    const next = answer(url);
    const send = () => void (typeof next === 'number' ? res.writeHead(next).end() : res.end(next));
    if (waiting !== undefined && url === '/old') waiting.push(send);
    else send();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    asked: (path: string) => asked.get(path) ?? 0,
    list: (path: string, more: { refreshMinutes?: number } = {}): AddressListDefinition => ({
      kind: 'url',
      url: `${base}${path}`,
      refreshMinutes: 1,
      maxEntries: 100,
      ...more,
    }),
  };
}

t.test('a URL that no list names any more is not asked again', async (t) => {
  const { asked, list } = await listServer(t, () => '192.0.2.1');
  const { tried, use } = keep(t, { u: list('/old', { refreshMinutes: 10 }) });
  await tried;
  await use({ u: list('/new') });
  await eventually(async () => asked('/new') > 20, 'more time than the old one would have waited');
  t.equal(asked('/old'), 1);
});

t.test('what is closed asks for nothing more', async (t) => {
  const { asked, list } = await listServer(t, () => '192.0.2.1');
  const [closed, other] = [keep(t, { u: list('/closed') }), keep(t, { u: list('/other') })];
  const meanwhile = keep(t, { u: list('/meanwhile') });
  meanwhile.lists.close();
  await Promise.all([closed.tried, other.tried, meanwhile.tried]);
  closed.lists.close();
  const [before, others] = [asked('/closed'), asked('/other')];
  await eventually(async () => asked('/other') > others + 3, 'the other one');
  t.equal(asked('/closed'), before);
  t.ok(asked('/meanwhile') <= 1, 'nor what was being read');
});

t.test('what could not be read is asked for every minute, however seldom it is read otherwise', async (t) => {
  let answer: string | number = '192.0.2.1';
  const { list } = await listServer(t, () => answer);
  const { tried, use, status, problems, changes } = keep(t, { u: list('/u', { refreshMinutes: 10_000 }) });
  await tried;
  answer = 500;
  await use({ u: list('/u', { refreshMinutes: 9999 }) });
  t.equal(status('u')?.up, false);
  answer = '192.0.2.2';
  const before = changes();
  await eventually(async () => status('u')?.up === true, 'another try');
  t.equal(changes(), before + 1);
  t.same(problems, [
    'The address list u is not usable: it answers with status 500; the last good copy goes on serving.',
    'The address list u can be read again.',
  ]);
});

t.test('one reason is told once, and another one anew', async (t) => {
  const answers: (string | number)[] = ['192.0.2.1', 500, 500, 500, 503, 503];
  const { asked, list } = await listServer(t, () => answers.shift() ?? 404);
  const { tried, problems } = keep(t, { u: list('/u') });
  await tried;
  await eventually(async () => asked('/u') > 8, 'all answers');
  t.same(
    problems.map((problem) => /status (\d+)/.exec(problem)?.[1]),
    ['500', '503', '404'],
  );
});

t.test('a list that goes is a change, and files are read again on demand', async (t) => {
  const file = join(t.testdir({ 'list.txt': '192.0.2.1\n' }), 'list.txt');
  const { tried, use, changes, holds, lists } = keep(t, {
    a: literal('192.0.2.1'),
    f: { kind: 'file', file },
    none: { kind: 'file', file: `${file}.none` },
  });
  await tried;
  t.same([...lists.current().keys()], ['a', 'f'], 'what was never read stands for nothing');
  const before = changes();
  await use({ f: { kind: 'file', file } });
  t.equal(changes(), before + 1);
  writeFileSync(file, '192.0.2.2\n');
  await lists.reload();
  t.same([holds('f', '192.0.2.1'), holds('f', '192.0.2.2')], [false, true]);
});

/** A Redis client of a test before may still be at an attempt to connect. */
const isOfLists = (ms: number): boolean => ms !== CONNECT_MS;

t.test('how long it waits, unless told otherwise', async (t) => {
  const { list } = await listServer(t, (path) => (path === '/good' ? '192.0.2.1' : 500));
  const { setTimeout: real } = globalThis;
  const waits: number[] = [];
  const noted = (run: () => void, ms = 0): NodeJS.Timeout => (waits.push(ms), real(run, ms));
  Object.assign(globalThis, { setTimeout: noted });
  t.teardown(() => Object.assign(globalThis, { setTimeout: real }));
  const ports = { now: () => 7, onChange: () => undefined, onProblem: () => undefined };
  const lists = createAddressLists(ports);
  t.teardown(() => lists.close());
  await lists.use(new Map([['u', list('/good', { refreshMinutes: 3 })]]));
  await lists.use(new Map([['v', list('/bad', { refreshMinutes: 3 })]]));
  t.same(waits.filter(isOfLists), [180_000, 3000]);
});

t.test('a list that another takes the place of while it is read is not read again', async (t) => {
  const waiting: (() => void)[] = [];
  const { asked, list } = await listServer(t, (path) => (path === '/old' ? 503 : '192.0.2.1'), waiting);
  const { tried, use, problems, status } = keep(t, { u: list('/old'), gone: list('/old') });
  await eventually(async () => waiting.length === 2, 'both readings');
  const used = use({ u: list('/new') });
  for (const answer of waiting.splice(0)) answer();
  await Promise.all([tried, used]);
  await eventually(async () => asked('/new') > 5, 'more time than the old ones would have waited');
  t.equal(asked('/old'), 2);
  t.same([problems, status('u')?.up], [[], true], 'what became of them is told to nobody');
});

t.test('what is closed while it is read waits for nothing, and is no problem', async (t) => {
  const waiting: (() => void)[] = [];
  const { list } = await listServer(t, () => '192.0.2.1', waiting);
  const { tried, problems, lists, changes } = keep(t, { u: list('/old') });
  await eventually(async () => waiting.length === 1, 'the reading');
  const { setTimeout: real } = globalThis;
  const waits: number[] = [];
  const noted = (run: () => void, ms = 0): NodeJS.Timeout => (waits.push(ms), real(run, ms));
  Object.assign(globalThis, { setTimeout: noted });
  t.teardown(() => Object.assign(globalThis, { setTimeout: real }));
  lists.close();
  await tried;
  t.same([waits.filter(isOfLists), problems, changes()], [[], [], 0]);
});

t.test('a list that another takes the place of tells nothing any more, however far its reading was', async (t) => {
  let told = 0;
  for (let turns = 0; turns < 12; turns++) {
    const { tried, use, problems, holds } = keep(t, { a: literal('no address') });
    for (let n = 0; n < turns; n++) await Promise.resolve();
    const used = use({ a: literal('192.0.2.1') });
    const before = problems.length;
    told += before;
    await Promise.all([tried, used]);
    t.same([problems.length, holds('a', '192.0.2.1')], [before, true], `${turns}`);
  }
  t.ok(told > 0, 'before that it was told');
});

t.test('what is asked for while a list is read is one more reading, and no more', async (t) => {
  const file = join(t.testdir({ 'list.txt': '192.0.2.1\n' }), 'list.txt');
  const { tried, changes, lists } = keep(t, { f: { kind: 'file', file } });
  await tried;
  for (const [asked, readings] of [
    [1, 1],
    [4, 2],
    [1, 1],
  ] as const) {
    const before = changes();
    await Promise.all(Array.from({ length: asked }, () => lists.reload()));
    t.equal(changes() - before, readings, `${asked} at once`);
  }
});
