/** Slow: servers are killed and frozen, and a Cluster has to form first. */
import t, { type Test } from 'tap';
import { connectRedis, type RedisConnection } from '../../src/lib/redis.ts';
import type { CacheStore } from '../../src/cache/store.ts';
import { createMemoryStore } from '../../src/cache/memory-store.ts';
import { createRedisStore } from '../../src/cache/redis-store.ts';
import { decodeEntry, encodeEntry } from '../../src/cache/stored-entry.ts';
import { eventually } from '../support/eventually.ts';
import { redisAt, startCluster, startRedis, type RedisServer } from '../support/redis.ts';
import { answerEntry, cacheStoreContract, KEY, OTHER_KEY } from './store-contract.ts';

interface Opened {
  readonly store: CacheStore;
  readonly fallbacks: (readonly [boolean, string])[];
}

/**
 * A store of one process, connected and listening: its memory is its own. It waits for Redis as long as a busy machine may take,
 * unless it is this that is tested.
 */
function open(
  settings: ReturnType<typeof redisAt>,
  prefix = 'postern:',
  maxBytes = 1_000_000,
  patienceMs: number | null = 60_000,
): Promise<Opened> {
  return new Promise((resolve) => {
    const awaited = new Set(['connection', 'subscription']);
    const arrived = (what: string): void => {
      if (awaited.delete(what) && awaited.size === 0) resolve({ store, fallbacks });
    };
    const fallbacks: (readonly [boolean, string])[] = [];
    const memory = createMemoryStore({ maxBytes, now: Date.now });
    const store = createRedisStore({
      connection: connectRedis(settings, { name: 'test-cache', onReady: () => arrived('connection') }),
      prefix,
      // The store empties it when its subscription begins; what a test put in before would be lost.
      memory: { ...memory, clear: () => (memory.clear(), arrived('subscription')) },
      now: Date.now,
      onFallback: (active, why) => fallbacks.push([active, why]),
      ...(patienceMs !== null && { patienceMs }),
    });
  });
}

/** Stores of several processes. */
async function openMany(t: Test, server: RedisServer, count: number, maxBytes?: number): Promise<Opened[]> {
  const opened = await Promise.all(
    Array.from({ length: count }, () => open(redisAt(server.url), 'postern:', maxBytes)),
  );
  t.teardown(() => opened.forEach(({ store }) => store.close()));
  return opened;
}

const server = await startRedis(t);
let prefixes = 0;
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
for (const [name, maxBytes] of [
  ['redis', 1_000_000],
  ['redis without memory', 0],
] as const)
  cacheStoreContract(name, async () => {
    const { store } = await open(redisAt(server.url), `p${(prefixes += 1)}:`, maxBytes);
    return { store, pass, close: store.close };
  });

t.test('what one stored another finds, without asking Redis twice', async (t) => {
  const [one, two] = (await openMany(t, server, 2)) as [Opened, Opened];
  await one.store.set(KEY, answerEntry(), 60_000);
  t.same(await two.store.get(KEY), answerEntry());
  await eventually(async () => {
    const found = two.store.get(KEY);
    if (!(found instanceof Promise)) return true;
    await found;
    return false;
  }, 'an answer from memory');
  const ttl = await server.admin.pttl(`postern:cache:${KEY}`);
  t.ok(ttl > 50_000 && ttl <= 60_000);
});

t.test('what one refreshes or deletes, another does not serve from memory', async (t) => {
  await server.admin.flushall();
  const [one, two] = (await openMany(t, server, 2)) as [Opened, Opened];
  const refreshed = answerEntry({ body: Buffer.from('new') });
  await one.store.set(KEY, answerEntry(), 60_000);
  await two.store.get(KEY);
  await one.store.set(KEY, refreshed, 60_000);
  await eventually(async () => {
    const entry = await two.store.get(KEY);
    return entry?.kind === 'answer' && entry.body.toString() === 'new';
  }, 'the new answer');
  t.same(await one.store.get(KEY), refreshed);
  await one.store.delete(KEY);
  await eventually(async () => (await two.store.get(KEY)) === undefined, 'the deletion');
  t.equal(await one.store.get(KEY), undefined);
  t.equal(await server.admin.exists(`postern:cache:${KEY}`), 0);
});

t.test('a purge is one for all, and what was purged stays so', async (t) => {
  await server.admin.flushall();
  const [one, two] = (await openMany(t, server, 2)) as [Opened, Opened];
  for (const key of [KEY, OTHER_KEY]) await one.store.set(key, answerEntry(), 60_000);
  await two.store.get(KEY);
  await one.store.clear();
  await eventually(async () => (await two.store.get(KEY)) === undefined, 'the purge');
  t.equal(await two.store.get(OTHER_KEY), undefined, 'also what was in Redis alone');
  await server.admin.del('postern:cache:generation');
  t.equal(await two.store.get(OTHER_KEY), undefined, 'also when the mark of the purge is evicted');
  await two.store.set(KEY, answerEntry(), 60_000);
  t.same(await one.store.get(KEY), answerEntry(), 'and all goes on');
  t.equal(await one.store.get(OTHER_KEY), undefined);
});

t.test('other prefixes, other keys, other values: a miss', async (t) => {
  await server.admin.flushall();
  const [{ store }] = (await openMany(t, server, 1, 0)) as [Opened];
  await store.set(KEY, answerEntry(), 60_000);
  const other = await open(redisAt(server.url), 'other:');
  t.teardown(other.store.close);
  t.equal(await other.store.get(KEY), undefined);

  await server.admin.copy(`postern:cache:${KEY}`, `postern:cache:${OTHER_KEY}`);
  t.equal(await store.get(OTHER_KEY), undefined, 'an entry that was moved to another key');
  const bytes = await server.admin.getBuffer(`postern:cache:${KEY}`);
  for (const value of [
    '',
    'text',
    '{}',
    bytes?.subarray(0, -1) ?? '',
    Buffer.concat([bytes ?? Buffer.alloc(0), bytes ?? Buffer.alloc(0)]),
  ]) {
    await server.admin.set(`postern:cache:${KEY}`, value);
    t.equal(await store.get(KEY), undefined);
  }
  await server.admin.del(`postern:cache:${KEY}`);
  await server.admin.lpush(`postern:cache:${KEY}`, 'a list');
  t.equal(await store.get(KEY), undefined);
  await store.set(OTHER_KEY, answerEntry(), 60_000);
  t.same(await store.get(OTHER_KEY), answerEntry(), 'and others are not harmed');
});

/** A store over a Redis that answers when it is told to, and tells what it is told to. */
function scripted() {
  const pending: ((answer: unknown) => void)[] = [];
  let listener: Parameters<RedisConnection['subscribe']>[1] | undefined;
  const wait = () => new Promise<unknown>((resolve) => pending.push(resolve));
  const connection: RedisConnection = {
    ready: true,
    call: wait,
    callBuffer: wait,
    transaction: async () => [],
    script: () => wait,
    subscribe: (_channel, events) => ((listener = events), { close: () => undefined }),
    close: () => undefined,
  };
  const memory = createMemoryStore({ maxBytes: 1_000_000, now: () => 0 });
  const purges: unknown[] = [];
  const onPurged = (): void => void purges.push(memory.stats().entries);
  const store = createRedisStore({ connection, prefix: 'p:', memory, now: () => 0, onPurged });
  const stored = encodeEntry(KEY, { entry: answerEntry(), expiresAt: 60_000, generation: 'g' });
  const answer = () => pending.shift()?.([Buffer.from('g'), stored]);
  return { store, answer, purges, tell: (message: string) => listener?.onMessage(message), events: () => listener };
}

t.test('what another process changed during a reading is not kept as it was before', async (t) => {
  const undisturbed = scripted();
  const first = undisturbed.store.get(KEY);
  undisturbed.answer();
  t.same(await first, answerEntry());
  t.notOk(undisturbed.store.get(KEY) instanceof Promise, 'undisturbed, it is kept');

  for (const message of [`other ${KEY}`, 'other *', `other ${OTHER_KEY}`]) {
    const { store, answer, tell } = scripted();
    const reading = store.get(KEY);
    tell(message);
    answer();
    await reading;
    t.ok(store.get(KEY) instanceof Promise, `${message}: Redis is asked again`);
  }
  const resubscribed = scripted();
  const reading = resubscribed.store.get(KEY);
  resubscribed.events()?.onSubscribed?.();
  resubscribed.answer();
  await reading;
  t.ok(resubscribed.store.get(KEY) instanceof Promise, 'messages may have been missed');
});

t.test('what this process changed during a reading does not come back by it', async (t) => {
  const newer = answerEntry({ body: Buffer.from('newer') });
  const changes: Record<string, (store: CacheStore) => unknown> = {
    'another answer': (store) => store.set(KEY, newer, 60_000),
    'one that may not be kept': (store) => store.delete(KEY),
    'a purge': (store) => store.clear(),
  };
  for (const [what, change] of Object.entries(changes)) {
    const { store, answer } = scripted();
    const reading = store.get(KEY);
    void change(store);
    answer();
    await reading;
    const found = store.get(KEY);
    if (what === 'another answer') t.same(found, newer, what);
    else t.ok(found instanceof Promise, what);
  }
});

t.test('that others emptied the cache is found without their message, in reading and in writing', async (t) => {
  let generation = 'g';
  let tell: (message: string) => void = () => undefined;
  const written: unknown[] = [];
  const connection: RedisConnection = {
    ready: true,
    call: async () => generation,
    callBuffer: async () => [Buffer.from(generation), null],
    script: () => async () => null,
    transaction: async (commands) => {
      const [command, name, value] = commands[0] ?? [];
      written.push(command);
      if (name === 'p:cache:generation') generation = String(value);
      return [];
    },
    subscribe: (_channel, events) => ((tell = events.onMessage), { close: () => undefined }),
    close: () => undefined,
  };
  const memory = createMemoryStore({ maxBytes: 1_000_000, now: () => 0 });
  let purges = 0;
  const onPurged = (): void => void (purges += 1);
  const store = createRedisStore({ connection, prefix: 'p:', memory, now: () => 0, onPurged });

  await store.get(KEY);
  generation = 'h';
  await store.set(KEY, answerEntry(), 60_000);
  t.same([written, purges, memory.stats().entries], [[], 1, 0], 'what was asked for before is not kept');
  await store.set(KEY, answerEntry(), 60_000);
  t.same([written, purges, memory.stats().entries], [['set'], 1, 1], 'what comes after is');
  generation = 'i';
  t.equal(await store.get(OTHER_KEY), undefined);
  t.same([purges, memory.stats().entries], [2, 0]);

  generation = 'j';
  tell('other *');
  await store.get(KEY);
  t.equal(purges, 3, 'told once');
  await store.clear();
  await store.set(KEY, answerEntry(), 60_000);
  t.same([purges, memory.stats().entries], [3, 1], 'nor by an emptying of its own');
});

t.test('what is deleted after it was stored does not come back by a storing that took longer', async (t) => {
  const done: string[] = [];
  const asked: ((generation: string) => void)[] = [];
  const connection: RedisConnection = {
    ready: true,
    call: () => new Promise((resolve) => asked.push(resolve)),
    callBuffer: async () => null,
    script: () => async () => null,
    transaction: async (commands) => (done.push(commands[0]?.[0] as string), []),
    subscribe: () => ({ close: () => undefined }),
    close: () => undefined,
  };
  const memory = createMemoryStore({ maxBytes: 1_000_000, now: () => 0 });
  const store = createRedisStore({ connection, prefix: 'p:', memory, now: () => 0 });
  const both = [store.set(KEY, answerEntry(), 60_000), store.delete(KEY)];
  for (const answer of asked) answer('g');
  await Promise.all(both);
  t.same(done, ['set', 'del']);
});

t.test('what another process changed is forgotten here, and only that', async (t) => {
  const { store, tell } = scripted();
  await store.set(KEY, answerEntry(), 60_000);
  await store.set(OTHER_KEY, answerEntry(), 60_000);
  tell(`other ${KEY}`);
  t.ok(store.get(KEY) instanceof Promise);
  t.same(store.get(OTHER_KEY), answerEntry());
  tell('other *');
  t.ok(store.get(OTHER_KEY) instanceof Promise);
});

t.test('that others emptied the cache, or may have, is told', async (t) => {
  const { purges, tell, events, store } = scripted();
  events()?.onSubscribed?.();
  t.same(purges, [], 'nothing can be missed before the first time');
  await store.set(KEY, answerEntry(), 60_000);
  tell(`other ${OTHER_KEY}`);
  t.same(purges, []);
  tell('other *');
  t.same(purges, [0], 'after it is empty here too');
  events()?.onSubscribed?.();
  t.same(purges, [0, 0]);
});

t.test('without Redis the memory goes on, at once, and Redis is taken up again', async (t) => {
  const server = await startRedis(t);
  const [{ store, fallbacks }] = (await openMany(t, server, 1)) as [Opened];
  await store.set(KEY, answerEntry(), 60_000);
  await server.kill();
  await eventually(() => store.get(OTHER_KEY) === undefined, 'the loss to be known');
  t.same(store.get(KEY), answerEntry());
  await store.set(OTHER_KEY, answerEntry(), 60_000);
  t.same(store.get(OTHER_KEY), answerEntry());
  t.ok(fallbacks.some(([active]) => active));
  await t.rejects(Promise.resolve(store.clear()), { name: 'RedisFailure' }, 'what Redis keeps would come back');
  await server.restart();
  await eventually(async () => {
    await store.set(OTHER_KEY, answerEntry(), 60_000);
    return (await server.admin.exists(`postern:cache:${OTHER_KEY}`)) === 1;
  }, 'Redis to be used again');
});

t.test('a hanging Redis is a miss', async (t) => {
  const server = await startRedis(t);
  const { store, fallbacks } = await open(redisAt(server.url), 'postern:', 1_000_000, null);
  t.teardown(store.close);
  server.freeze();
  t.equal(await store.get(KEY), undefined);
  t.equal(store.get(KEY), undefined, 'the next is one at once');
  await store.set(KEY, answerEntry(), 60_000);
  t.same(store.get(KEY), answerEntry());
  t.match(fallbacks[0], [true, /no answer/]);
});

t.test('a full or read-only Redis still answers', async (t) => {
  const server = await startRedis(t);
  const [one, two] = (await openMany(t, server, 2)) as [Opened, Opened];
  await one.store.set(KEY, answerEntry(), 60_000);
  await server.admin.config('SET', 'maxmemory', '1');
  await two.store.set(OTHER_KEY, answerEntry(), 60_000);
  t.match(two.fallbacks, [[true, /OOM/]]);
  t.same(await two.store.get(KEY), answerEntry());
});

t.test('in a Cluster', async (t) => {
  const { settings } = await startCluster(t);
  const one = await open(settings, '{postern}:');
  const two = await open(settings, '{postern}:');
  t.teardown(() => [one, two].forEach(({ store }) => store.close()));
  await eventually(async () => {
    await one.store.set(KEY, answerEntry(), 60_000);
    return (await two.store.get(KEY)) !== undefined;
  }, 'the entry');
  t.same(await two.store.get(KEY), answerEntry());
  await one.store.clear();
  await eventually(async () => (await two.store.get(KEY)) === undefined, 'the purge');
  t.equal(await one.store.get(KEY), undefined);
});

t.test('what goes to Redis in a moment is what was handed in, whatever becomes of the buffer', async (t) => {
  const sent: Buffer[] = [];
  let answer: (generation: string) => void = () => undefined;
  const generation = new Promise<string>((resolve) => (answer = resolve));
  const connection: RedisConnection = {
    ready: true,
    call: () => generation,
    callBuffer: () => generation,
    script: () => () => generation,
    transaction: async (commands) => (sent.push(commands[0]?.[2] as Buffer), []),
    subscribe: () => ({ close: () => undefined }),
    close: () => undefined,
  };
  const memory = createMemoryStore({ maxBytes: 1_000_000, now: () => 0 });
  const store = createRedisStore({ connection, prefix: 'p:', memory, now: () => 0 });
  const body = Buffer.from('as it was');
  const setting = store.set(KEY, answerEntry({ body }), 60_000);
  body.fill('x');
  answer('g');
  await setting;
  const stored = decodeEntry(KEY, sent[0] as Buffer);
  t.equal(stored?.entry.kind === 'answer' && stored.entry.body.toString(), 'as it was');
  t.match(stored, { expiresAt: 60_000, generation: 'g' });
});

t.test('a purge that Redis does not hear of is told, and is tried while Redis is left out', async (t) => {
  let broken = true;
  const purges: unknown[] = [];
  const answering = async () => {
    if (broken) throw new Error('down');
    return 'g';
  };
  const connection = {
    ready: true,
    call: answering,
    transaction: async (commands: readonly unknown[][]) => (purges.push(commands[0]?.[1]), answering()),
    subscribe: () => ({ close: () => undefined }),
    close: () => undefined,
  } as unknown as RedisConnection;
  const memory = createMemoryStore({ maxBytes: 1_000_000, now: () => 0 });
  const store = createRedisStore({ connection, prefix: 'p:', memory, now: () => 0 });
  await store.set(KEY, answerEntry(), 60_000);
  t.equal(store.shared(), false);
  await t.rejects(Promise.resolve(store.clear()), { message: 'down' });
  t.equal(memory.get(KEY), undefined, 'here it is forgotten all the same');
  broken = false;
  await store.clear();
  t.same(purges, ['p:cache:generation', 'p:cache:generation']);
});

t.test('that Redis is left out is told once, and its end when both reading and writing are right again', async (t) => {
  let broken = true;
  let readsBroken = false;
  const answering = async () => {
    if (broken) throw new Error('down');
    return 'g';
  };
  const reading = async () => {
    if (readsBroken) throw new Error('no right to read');
    return answering();
  };
  const connection = {
    ready: true,
    call: reading,
    callBuffer: reading,
    transaction: answering,
    subscribe: () => ({ close: () => undefined }),
    close: () => undefined,
  } as unknown as RedisConnection;
  const told: unknown[] = [];
  const store = createRedisStore({
    connection,
    prefix: '',
    memory: createMemoryStore({ maxBytes: 0, now: Date.now }),
    now: Date.now,
    onFallback: (...change) => told.push(change),
  });
  await store.get(KEY);
  await store.set(KEY, answerEntry(), 1000);
  t.same([told, store.shared()], [[[true, 'down']], false]);
  broken = false;
  await eventually(async () => (await store.get(KEY), store.get(KEY) instanceof Promise), 'the next try');
  t.same(told, [[true, 'down']], 'nothing is written yet');
  await eventually(async () => (await store.set(KEY, answerEntry(), 1000), told.length > 1), 'the end');
  t.same(
    [told, store.shared()],
    [
      [
        [true, 'down'],
        [false, ''],
      ],
      true,
    ],
  );
  readsBroken = true;
  await store.get(KEY);
  t.equal(store.shared(), false, 'what is only written is not shared');
});
