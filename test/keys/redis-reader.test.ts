/** What only a Redis that answers at a chosen moment can show: the order of answers. */
import t from 'tap';
import { createKeyIndex, type KeyIndex } from '../../src/keys/key-index.ts';
import { keyLayout } from '../../src/keys/redis-layout.ts';
import { createRedisKeyReader, type RedisKeyReader } from '../../src/keys/redis-reader.ts';
import { type RedisCommand, type RedisConnection, RedisFailure } from '../../src/lib/redis.ts';
import { definitionOf } from '../support/redis-keys.ts';

interface Fake {
  readonly keys: Map<string, string>;
  readonly policies: Map<string, string>;
  readonly lists: Map<string, string>;
  /** Only keys may be read. */
  keysAlone: boolean;
  /** How often something else was asked for all the same. */
  refused: number;
  /** Those that no page shows. */
  readonly hidden: Set<string>;
  version: string | null;
  /** Runs when a page has been read by the server and before it is handed over. */
  onPage: (page: number) => void;
  /** Runs when state has been read by the server and before it is handed over. */
  onState: () => void;
  fail: boolean;
  scans: number;
}

/** A Redis of two pages: the ids up to `m`, then the rest. */
function setUp(keys: Record<string, string>): {
  fake: Fake;
  reader: RedisKeyReader;
  index: KeyIndex;
  ids(): string[];
  /** How often a change was told, each with the keys that cannot be used since. */
  told: (readonly string[])[];
} {
  const told: (readonly string[])[] = [];
  const fake: Fake = {
    keys: new Map(Object.entries(keys)),
    policies: new Map(),
    lists: new Map(),
    keysAlone: false,
    refused: 0,
    hidden: new Set(),
    version: '1',
    onPage: () => undefined,
    onState: () => undefined,
    fail: false,
    scans: 0,
  };
  const answer = ([name, ...args]: RedisCommand): unknown => {
    if (fake.fail) throw new RedisFailure('gone', '');
    if (name === 'get') return fake.version;
    const hash = { 'p:keys': fake.keys, 'p:policies': fake.policies, 'p:lists': fake.lists }[String(args[0])];
    if (hash === undefined) throw new Error(`not expected: ${String(args[0])}`);
    if (fake.keysAlone && hash !== fake.keys) {
      fake.refused += 1;
      throw new RedisFailure('no', 'NOPERM');
    }
    if (name === 'hlen') return hash.size;
    if (name === 'hmget') return args.slice(1).map((id) => hash.get(String(id)) ?? null);
    throw new Error(`not expected: ${name}`);
  };
  const connection: Pick<RedisConnection, 'call' | 'transaction'> = {
    async call(_name, key, cursor) {
      if (fake.fail) throw new RedisFailure('gone', '');
      if (key === 'p:policies') return ['0', [...fake.policies].flat()];
      if (key === 'p:lists') return ['0', [...fake.lists].flat()];
      const first = cursor === '0';
      if (first) fake.scans += 1;
      const page = [...fake.keys].filter(([id]) => id <= 'm' === first && !fake.hidden.has(id)).flat();
      fake.onPage(first ? 1 : 2);
      return [first ? '1' : '0', page];
    },
    transaction: async (commands) => {
      const answers = commands.map(answer);
      fake.onState();
      return answers;
    },
  };
  const index = createKeyIndex();
  const reader = createRedisKeyReader({
    connection: connection as RedisConnection,
    layout: keyLayout('p:'),
    index,
    onChange: (invalid) => told.push(invalid.map(({ id }) => id)),
  });
  return { fake, reader, index, told, ids: () => [...index.snapshot().byId.keys()].sort() };
}

function change(fake: Fake, id: string, json: string | null): void {
  if (json === null) fake.keys.delete(id);
  else fake.keys.set(id, json);
  fake.version = String(Number(fake.version) + 1);
}

t.test('a change during a full reading is in force before it ends, and its old page does not undo it', async (t) => {
  const { fake, reader, index, ids } = setUp({ a: definitionOf('a'), b: definitionOf('b'), z: definitionOf('z') });
  t.equal(await reader.read(), 'synced');
  reader.requireEverything();
  // Not told to anybody, so the page that is about to be handed over is the first to know the middle state of `a`.
  fake.keys.set('a', definitionOf('middle'));
  fake.onPage = (page) => {
    if (page === 1) {
      change(fake, 'a', definitionOf('a', { enabled: false }));
      change(fake, 'b', null);
      reader.hear('a');
      reader.hear('b');
    } else {
      t.equal(index.snapshot().byId.get('a')?.enabled, false, 'before the second page');
      t.same(ids(), ['a', 'z']);
    }
  };
  t.equal(await reader.read(), 'synced');
  t.equal(index.snapshot().byId.get('a')?.enabled, false, 'after the last page');
  t.same(ids(), ['a', 'z']);
});

t.test('nor does a single change wait for the end of a full reading', async (t) => {
  for (const [what, json] of [
    ['changed', definitionOf('a', { enabled: false })],
    ['removed', null],
  ] as const) {
    const { fake, reader, index, told } = setUp({ a: definitionOf('a'), z: definitionOf('z') });
    await reader.read();
    reader.requireEverything();
    fake.onPage = (page) => {
      if (page === 1) {
        change(fake, 'a', json);
        reader.hear('a');
      } else t.same([index.snapshot().byId.get('a')?.enabled ?? null, told.length], [json && false, 2], what);
    };
    t.equal(await reader.read(), 'synced');
    t.equal(told.length, 2, 'and is told once');
    t.equal(await reader.read(), 'synced');
    t.equal(fake.scans, 2, 'everything was read already');
  }
});

t.test('keys that a full reading did not meet are gone only if Redis says so', async (t) => {
  const { fake, reader, ids } = setUp({ a: definitionOf('a'), z: definitionOf('z') });
  await reader.read();
  reader.requireEverything();
  // On neither page, and there all the same: as when its slot moves to another node between the two.
  const hidden = fake.keys.get('z') ?? '';
  fake.keys.delete('z');
  const found = fake.keys.get.bind(fake.keys);
  fake.keys.get = (id) => (id === 'z' ? hidden : found(id));
  await reader.read();
  t.same(ids(), ['a', 'z']);
});

t.test('a Redis that is emptied during a full reading has lost its data', async (t) => {
  const { fake, reader, ids } = setUp({ a: definitionOf('a'), z: definitionOf('z') });
  await reader.read();
  reader.requireEverything();
  fake.onPage = () => {
    fake.keys.clear();
    fake.version = null;
  };
  t.equal(await reader.read(), 'lost');
  t.same(ids(), ['a', 'z']);
  fake.onPage = () => undefined;
  change(fake, 'a', definitionOf('a'));
  t.equal(await reader.read(), 'synced', 'and is read in full when it has keys again');
  t.same(ids(), ['a']);
});

t.test('after a failure everything is read, whatever was told before', async (t) => {
  const { fake, reader, ids } = setUp({ a: definitionOf('a') });
  await reader.read();
  fake.fail = true;
  reader.hear('a');
  await t.rejects(reader.read(), { name: 'RedisFailure' });
  fake.fail = false;
  fake.keys.set('b', definitionOf('b'));
  t.equal(await reader.read(), 'synced');
  t.same(ids(), ['a', 'b']);
  t.equal(fake.scans, 2);
});

t.test('the counter is followed without a full reading as long as each step was told', async (t) => {
  const { fake, reader, ids } = setUp({ a: definitionOf('a') });
  await reader.read();
  for (const id of ['b', 'c', 'd']) {
    change(fake, id, definitionOf(id));
    reader.hear(id);
  }
  t.equal(await reader.read(), 'synced');
  t.same(ids(), ['a', 'b', 'c', 'd']);
  t.equal(fake.scans, 1);

  change(fake, 'late', definitionOf('late'));
  t.equal(await reader.read(), 'unsure', 'the counter came before its message');
  reader.hear('late');
  t.equal(await reader.read(), 'synced');
  t.equal(fake.scans, 1);

  change(fake, 'silent', definitionOf('silent'));
  for (let i = 0; i < 3; i += 1) t.equal(await reader.read(), 'unsure');
  t.equal(await reader.read(), 'synced');
  t.equal(fake.scans, 2, 'a message that does not come is one full reading');
  t.ok(ids().includes('silent'));
});

t.test('a counter that went back is a change', async (t) => {
  const { fake, reader, ids } = setUp({ a: definitionOf('a') });
  fake.version = '57';
  await reader.read();
  fake.keys.set('b', definitionOf('b'));
  fake.version = '3';
  for (let i = 0; i < 4; i += 1) await reader.read();
  t.same(ids(), ['a', 'b']);
});

t.test('a message that overtakes an answer does not make up for a change that nobody told of', async (t) => {
  const { fake, reader, ids } = setUp({ a: definitionOf('a') });
  t.equal(await reader.read(), 'synced');
  change(fake, 'silent', definitionOf('silent'));
  change(fake, 'loud', definitionOf('loud'));
  reader.hear('loud');
  fake.onState = () => {
    fake.onState = () => undefined;
    change(fake, 'loud', definitionOf('loud', { enabled: false }));
    reader.hear('loud');
  };
  t.equal(await reader.read(), 'unsure', 'two changes are counted, two messages heard, one of which came too early');
  for (let i = 0; i < 3; i += 1) t.equal(await reader.read(), 'unsure');
  t.equal(await reader.read(), 'synced', 'everything was read');
  t.same(ids(), ['a', 'loud', 'silent']);
});

t.test('a message that overtakes an answer is counted with the next', async (t) => {
  const { fake, reader } = setUp({ a: definitionOf('a') });
  t.equal(await reader.read(), 'synced');
  const scans = fake.scans;
  change(fake, 'b', definitionOf('b'));
  reader.hear('b');
  fake.onState = () => {
    fake.onState = () => undefined;
    change(fake, 'c', definitionOf('c'));
    reader.hear('c');
  };
  t.equal(await reader.read(), 'synced');
  t.equal(await reader.read(), 'synced');
  t.equal(fake.scans, scans, 'nothing seemed to be missing');
});

t.test('where Redis counts more keys than a full reading met, all is read again', async (t) => {
  const { fake, reader, ids } = setUp({ a: definitionOf('a'), z: definitionOf('z') });
  // As of a slot of a Cluster that moves meanwhile.
  fake.hidden.add('z');
  t.equal(await reader.read(), 'synced');
  t.same(ids(), ['a']);
  fake.hidden.clear();
  t.equal(await reader.read(), 'synced');
  t.same(ids(), ['a', 'z']);
  t.equal(await reader.read(), 'synced');
  t.equal(fake.scans, 2, 'and once more is enough');
});

const asVersion = (fake: Fake): void => void (fake.version = String(Number(fake.version) + 1));

t.test('a policy that is told of is read, with the keys that name it, and shown with them', async (t) => {
  const { fake, reader, index, ids, told } = setUp({ a: definitionOf('a', { policy: 'p' }), z: definitionOf('z') });
  fake.policies.set('p', '{"mode":"report"}');
  fake.lists.set('l', '["192.0.2.1"]');
  t.equal(await reader.read(), 'synced');
  const modeOf = (id: string) => index.snapshot().byId.get(id)?.mode;
  t.same([modeOf('a'), modeOf('z'), told], ['report', 'enforce', [[]]]);
  t.same(index.snapshot().records.lists.get('l'), {
    id: 'l',
    definition: { kind: 'literal', entries: [{ address: '192.0.2.1', description: '' }] },
  });

  fake.policies.set('p', '{"mode":"enforce"}');
  asVersion(fake);
  reader.hear('policy:p');
  t.equal(await reader.read(), 'synced');
  t.same([modeOf('a'), told.length, fake.scans], ['enforce', 2, 1]);
  t.same(index.snapshot().records.policies.get('p'), { id: 'p', definition: { mode: 'enforce' } });
  t.equal(index.snapshot().records.lists.size, 1, 'what is not named stays');

  fake.lists.set('l', '["192.0.2.2"]');
  asVersion(fake);
  reader.hear('list:l');
  t.equal(await reader.read(), 'synced');
  t.same([told.length, fake.scans], [3, 1], 'a list alone is a change, too');
  t.match(index.snapshot().records.lists.get('l'), { definition: { entries: [{ address: '192.0.2.2' }] } });
  t.same([index.snapshot().records.policies.size, ids()], [1, ['a', 'z']]);

  fake.policies.set('p', '{');
  asVersion(fake);
  reader.hear('policy:p');
  t.equal(await reader.read(), 'synced');
  t.same([ids(), told.at(-1)], [['z'], ['a']]);
});

t.test('an emptied hash of policies or lists is lost data, unless the counter rose', async (t) => {
  for (const lost of ['policies', 'lists'] as const) {
    const { fake, reader, index } = setUp({ a: definitionOf('a') });
    fake.policies.set('p', '{}');
    fake.lists.set('l', '[]');
    await reader.read();
    const held = fake[lost].size;
    fake[lost].clear();
    t.equal(await reader.read(), 'lost', lost);
    t.equal(index.snapshot().records[lost].size, held);
    asVersion(fake);
    t.equal(await reader.read(), 'synced', 'now it was deleted');
    t.equal(index.snapshot().records[lost].size, 0);
  }
});

t.test('a policy that changes during a full reading has everything read once more', async (t) => {
  const { fake, reader, index } = setUp({ a: definitionOf('a', { policy: 'p' }), z: definitionOf('z') });
  fake.policies.set('p', '{"mode":"report"}');
  await reader.read();
  reader.requireEverything();
  fake.onPage = (page) => {
    if (page !== 1) return;
    fake.policies.set('p', '{"mode":"enforce"}');
    asVersion(fake);
    reader.hear('policy:p');
  };
  await reader.read();
  fake.onPage = () => undefined;
  t.equal(await reader.read(), 'synced');
  t.same([fake.scans, index.snapshot().byId.get('a')?.mode], [3, 'enforce']);
});

t.test('who may read keys alone has no policies and no lists, and is not refused', async (t) => {
  const { fake, reader, ids, index, told } = setUp({ a: definitionOf('a'), b: definitionOf('b', { policy: 'p' }) });
  fake.policies.set('p', '{}');
  fake.keysAlone = true;
  t.equal(await reader.read(), 'synced');
  t.same([ids(), index.invalidCount], [['a'], 1]);
  change(fake, 'c', definitionOf('c'));
  reader.hear('c');
  t.equal(await reader.read(), 'synced');
  t.same(ids(), ['a', 'c']);
  t.equal(fake.refused, 1, 'nor asked again');
  reader.requireEverything();
  t.equal(await reader.read(), 'synced');
  t.same(told, [['b'], []], 'where there are none, none has changed');
  fake.keysAlone = false;
  reader.requireEverything();
  t.equal(await reader.read(), 'synced');
  t.same(ids(), ['a', 'b', 'c'], 'rights that are given later are found by a full reading');
});

t.test('rights to policies and lists that are taken away are a failure, and what is in use stays', async (t) => {
  const { fake, reader, ids } = setUp({ a: definitionOf('a'), b: definitionOf('b', { policy: 'p' }) });
  fake.policies.set('p', '{}');
  t.equal(await reader.read(), 'synced');
  fake.keysAlone = true;
  await t.rejects(reader.read(), { code: 'NOPERM' });
  await t.rejects(reader.read(), { code: 'NOPERM' }, 'and by a full reading, too');
  t.same(ids(), ['a', 'b']);
  fake.keysAlone = false;
  change(fake, 'c', definitionOf('c'));
  t.equal(await reader.read(), 'synced');
  t.same(ids(), ['a', 'b', 'c']);
});

t.test('a change is told when there is one, and once', async (t) => {
  const { fake, reader, told } = setUp({ a: definitionOf('a'), bad: '{', z: definitionOf('z') });
  await reader.read();
  t.same(told, [['bad']], 'the first reading, whole, with what cannot be used');
  await reader.read();
  reader.requireEverything();
  await reader.read();
  reader.hear('a');
  asVersion(fake);
  await reader.read();
  t.equal(told.length, 1, 'nothing is other than before');
  reader.requireEverything();
  fake.onPage = (page) => {
    if (page !== 1) return;
    reader.hear('a');
    asVersion(fake);
  };
  await reader.read();
  fake.onPage = () => undefined;
  t.equal(told.length, 1, 'nor is what was told of during a full reading');
  change(fake, 'z', 'null');
  reader.hear('z');
  await reader.read();
  t.same(told, [['bad'], ['z']]);
});

t.test('keys that name what has changed are read with pauses', async (t) => {
  const ids = Array.from({ length: 1001 }, (_, n) => `k${n}`);
  const { fake, reader, index } = setUp(Object.fromEntries(ids.map((id) => [id, definitionOf(id, { policy: 'p' })])));
  fake.policies.set('p', '{"mode":"report"}');
  await reader.read();
  fake.policies.set('p', '{"mode":"enforce"}');
  asVersion(fake);
  reader.hear('policy:p');
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    turning = setImmediate(turn);
  };
  let turning = setImmediate(turn);
  await reader.read();
  clearImmediate(turning);
  t.equal(index.snapshot().byId.get('k1000')?.mode, 'enforce');
  t.ok(turns >= 2, `${turns} turns of others`);
});

t.test('an empty Redis without a counter is a fresh one, and with one has no keys', async (t) => {
  const { fake, reader, told } = setUp({});
  fake.version = null;
  t.equal(await reader.read(), 'lost');
  t.same(told, []);
  fake.version = '0';
  t.equal(await reader.read(), 'synced');
  t.same(told, [[]]);
});

t.test(
  'what is told of during a full reading asks for policies and lists as well, and takes none for lost',
  async (t) => {
    const { fake, reader, index } = setUp({ a: definitionOf('a', { policy: 'p' }), z: definitionOf('z') });
    fake.policies.set('p', '{"mode":"report"}');
    fake.lists.set('l', '[]');
    await reader.read();
    reader.requireEverything();
    // The message comes before what it tells of is counted.
    fake.onPage = (page) => {
      if (page === 1) reader.hear('a');
    };
    t.not(await reader.read(), 'lost');
    t.equal(index.snapshot().byId.get('a')?.mode, 'report');
  },
);

t.test('a counter that is missing counts as nothing', async (t) => {
  const { fake, reader, ids } = setUp({ a: definitionOf('a') });
  fake.version = null;
  t.equal(await reader.read(), 'synced');
  fake.keys.set('b', definitionOf('b'));
  fake.version = '1';
  reader.hear('b');
  t.equal(await reader.read(), 'synced', 'the first change was told');
  t.same([ids(), fake.scans], [['a', 'b'], 1]);
  fake.version = 'none';
  for (let i = 0; i < 3; i += 1) t.equal(await reader.read(), 'unsure', 'one that is no number follows on none');
});

t.test('a message for all has everything read', async (t) => {
  const { fake, reader, ids } = setUp({ a: definitionOf('a') });
  await reader.read();
  change(fake, 'b', definitionOf('b'));
  reader.hear('*');
  t.equal(await reader.read(), 'synced');
  t.same([ids(), fake.scans], [['a', 'b'], 2]);
});
