import t, { type Test } from 'tap';
import * as layouts from '../../src/keys/redis-layout.ts';
import { connectRedis, type RedisCommand, type RedisConnection } from '../../src/lib/redis.ts';
import { redisAt, startRedis } from '../support/redis.ts';

const { readStoredKey, readStoredKeys, readStoredState, replaceKey, scanKeys, writeKeys } = layouts;
const { admin, url } = await startRedis(t);
const connection = await new Promise<RedisConnection>((resolve) => {
  const made = connectRedis(redisAt(url), { name: 'test', onReady: () => resolve(made) });
  t.teardown(() => made.close());
});

const numbered = (count: number, from = 0): string[] => Array.from({ length: count }, (_, n) => `k${from + n}`);
const pairs = (ids: readonly string[]): Map<string, string> => new Map(ids.map((id) => [id, `{"of":"${id}"}`]));

let installations = 0;
/** A layout of its own. `news`: what was published since it was asked before, after what the counter says. */
async function install(t: Test) {
  const layout = layouts.keyLayout(`p${(installations += 1)}:`);
  const listener = admin.duplicate();
  t.teardown(() => listener.disconnect());
  let messages: (string | number)[] = [];
  let ended = (): void => {};
  listener.on('message', (_channel, message) => (message === 'the end' ? ended() : messages.push(message)));
  await listener.subscribe(layout.changed);
  const news = async () => {
    // Messages keep their order, so none is on its way once this one has come.
    const end = new Promise<void>((resolve) => (ended = resolve));
    await admin.publish(layout.changed, 'the end');
    await end;
    return [Number(await admin.get(layout.version)), ...messages.splice(0)];
  };
  const write = (set: readonly string[], remove: readonly string[] = []) =>
    writeKeys(connection, layout, { set: pairs(set), remove });
  const sent: (readonly RedisCommand[])[] = [];
  const transaction: RedisConnection['transaction'] = (commands) =>
    connection.transaction(sent[sent.push(commands) - 1] ?? []);
  return { layout, news, write, sent, recorded: { ...connection, transaction } };
}

t.test('every name begins with the prefix, so that installations can share a Redis', async (t) => {
  t.same(layouts.keyLayout('x:'), {
    keys: 'x:keys',
    policies: 'x:policies',
    lists: 'x:lists',
    version: 'x:keys:version',
    changed: 'x:keys:changed',
  });
});

t.test('every changed key is named, and the counter rises by one for each', async (t) => {
  const { layout, news, write, recorded, sent } = await install(t);
  await write(['a', 'b'], ['never there']);
  t.same(await news(), [3, 'a', 'b', 'never there']);
  await write([], ['a']);
  t.same(await news(), [4, 'a']);
  t.same(await readStoredKeys(connection, layout), pairs(['b']));
  await write([], []);
  t.same(await news(), [4], 'changing nothing tells nobody');
  await writeKeys(recorded, layout, { set: new Map(), remove: [] });
  t.same(sent, [], 'and asks for nothing');
});

t.test('up to a hundred changes are named, more are one message for all', async (t) => {
  const { news, write } = await install(t);
  await write(numbered(60), numbered(40, 60));
  t.same(await news(), [100, ...numbered(100)]);
  await write(numbered(60), numbered(41, 60));
  t.same(await news(), [101, layouts.EVERYTHING]);
});

t.test('any number of changes is one transaction of commands that are short each', async (t) => {
  const { layout, write, sent, recorded } = await install(t);
  await write(numbered(600, 9000));
  await writeKeys(recorded, layout, { set: pairs(numbered(1001)), remove: numbered(600, 9000) });
  t.equal(sent.length, 1);
  t.ok(Math.max(...(sent[0] ?? []).map((command) => command.length)) <= 2 + 2 * 500);
  t.same(await readStoredKeys(connection, layout), pairs(numbered(1001)));
});

t.test('a key is replaced only if it is still what the caller saw', async (t) => {
  const { layout, news } = await install(t);
  const replace = (expected: string | null, json: string | null) =>
    replaceKey(connection, layout, { id: 'a', expected, json });
  t.equal(await replace(null, '{"n":1}'), true, 'the id was free');
  t.equal(await replace('{"n":1}', '{"n":2}'), true);
  t.same(await news(), [2, 'a', 'a']);
  for (const stale of [null, '{"n":1}', '{"n": 2}', ''])
    for (const json of ['{"n":3}', null]) t.equal(await replace(stale, json), false, `${stale}`);
  t.equal(await readStoredKey(connection, layout, 'a'), '{"n":2}');
  t.equal(await replace('{"n":2}', null), true);
  t.equal(await replace('{"n":2}', '{"n":3}'), false, 'somebody removed it');
  t.equal(await readStoredKey(connection, layout, 'a'), null);
  t.same(await news(), [3, 'a'], 'what was not changed is not told');
});

t.test('ids and values come back as they were written, whatever they hold', async (t) => {
  const { layout } = await install(t);
  const ids = ['', ' ', '*', '0', '__proto__', 'a\nb\u0000c', '%d"]]\\', '\u00e4\u{1f511}'];
  const set = new Map(ids.map((id) => [id, JSON.stringify({ description: id })]));
  await writeKeys(connection, layout, { set, remove: [] });
  t.same(await readStoredKeys(connection, layout), set);
  t.same((await readStoredState(connection, layout, { keys: ids })).values, set);
  for (const [id, expected] of set) {
    t.equal(await replaceKey(connection, layout, { id, expected, json: `${expected} ` }), true, JSON.stringify(id));
    t.equal(await readStoredKey(connection, layout, id), `${expected} `);
  }
});

t.test('pages miss no key that is there throughout, while others come and go', async (t) => {
  const { layout, write } = await install(t);
  await write(numbered(3000));
  const missing = new Set(numbered(1000));
  let pages = 0;
  for await (const page of scanKeys(connection, layout)) {
    for (const [id] of page) missing.delete(id);
    pages += 1;
    // Enough to make the table grow, and then shrink, in the middle of the reading.
    if (pages === 2) await write(numbered(9000, 3000));
    if (pages === 4) await write([], numbered(11_000, 1000));
  }
  t.ok(pages > 4);
  t.same([...missing], []);
});

t.test('counter, size and the keys asked for are read at one moment', async (t) => {
  const { layout, write, sent, recorded } = await install(t);
  const none = { size: 0, values: new Map() };
  t.same(await readStoredState(connection, layout, { keys: ['a'] }), {
    version: null,
    size: 0,
    values: new Map([['a', null]]),
    policies: none,
    lists: none,
  });
  await write(numbered(700));
  const asked = ['absent', ...numbered(1100), 'k0'];
  const stored = pairs(numbered(700));
  t.strictSame(await readStoredState(recorded, layout, { keys: asked }), {
    version: '1',
    size: 700,
    values: new Map(asked.map((id) => [id, stored.get(id) ?? null])),
    policies: none,
    lists: none,
  });
  t.equal(sent.length, 1);
});

t.test('a name that holds something else is a failure, not an absence of keys', async (t) => {
  const { layout, write } = await install(t);
  await admin.set(layout.keys, 'not a hash');
  const failure = { name: 'RedisFailure', code: 'WRONGTYPE' };
  await t.rejects(readStoredKeys(connection, layout), failure);
  await t.rejects(readStoredKey(connection, layout, 'a'), failure);
  await t.rejects(readStoredState(connection, layout, { keys: ['a'] }), failure);
  await t.rejects(write(['a']), failure);
});

t.test('policies and lists lie beside the keys, and what changes together is told together', async (t) => {
  const { layout, news } = await install(t);
  const one = { set: new Map([['p', '{"type":"read-only"}']]), remove: [] };
  await writeKeys(connection, layout, { set: new Map(), remove: [], policies: one });
  await writeKeys(connection, layout, {
    set: new Map(),
    remove: [],
    lists: { set: new Map([['l', '[]']]), remove: [] },
  });
  await writeKeys(connection, layout, {
    set: new Map([['a', '{}']]),
    remove: [],
    policies: { set: new Map(), remove: ['p'] },
  });
  t.same(await news(), [3, 'policy:p', 'list:l', '*']);
  t.same(await readStoredState(connection, layout, { keys: ['a'], policies: ['p'], lists: ['l', 'm'] }), {
    version: '3',
    size: 1,
    values: new Map([['a', '{}']]),
    policies: { size: 0, values: new Map([['p', null]]) },
    lists: {
      size: 1,
      values: new Map([
        ['l', '[]'],
        ['m', null],
      ]),
    },
  });
  t.ok(await replaceKey(connection, layout, { id: 'l', expected: '[]', json: null, hash: 'lists' }));
  t.same(await news(), [4, 'list:l']);
  const removal = { set: new Map(), remove: ['x'] };
  await writeKeys(connection, layout, { ...removal, remove: [], lists: removal });
  await writeKeys(connection, layout, { ...removal, remove: [], policies: removal });
  t.same(await news(), [6, 'list:x', 'policy:x'], 'one that goes is told as well');
  await writeKeys(connection, layout, { ...removal, remove: [], lists: removal, policies: removal });
  t.same(await news(), [7, '*'], 'two of them together are told as one');
});

t.test('a change that was decided on more than what it replaces is made while the counter says the same', async (t) => {
  const { layout, news, write } = await install(t);
  const replace = (version: string | null, json: string) =>
    replaceKey(connection, layout, { id: 'p', expected: null, json, hash: 'policies', version });
  t.equal(await replace('1', '{}'), false, 'there is no counter');
  t.equal(await replace(null, '{}'), true, 'as was known');
  t.same(await news(), [1, 'policy:p']);
  await write(['a']);
  await news();
  const again = (version: string | null) =>
    replaceKey(connection, layout, { id: 'p', expected: '{}', json: '{"mode":"report"}', hash: 'policies', version });
  t.equal(await again('1'), false, 'something else was changed');
  t.equal(await again(null), false);
  t.equal(await again('2'), true);
  t.equal(await readStoredKey(connection, layout, 'p', 'policies'), '{"mode":"report"}');
});
