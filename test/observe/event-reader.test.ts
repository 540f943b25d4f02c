import { gzipSync } from 'node:zlib';
import t from 'tap';
import type { DayCounts } from '../../src/observe/day-counts.ts';
import { createEventReader, MOST_BODY_BYTES, type UnreadEvents } from '../../src/observe/event-reader.ts';
import { dayOf, Observations } from '../../src/observe/observations.ts';
import { compileRoutes, type RouteMatch } from '../../src/policy/route.ts';
import type { RouteDefinition } from '../../src/config/route-definition.ts';
import { WEB } from '../support/observed.ts';
import { factsOf, NOON } from '../support/passages.ts';

const BATCH: RouteDefinition = { method: 'POST', path: '/batch', events: 'batch[].event', query: ['ip'] };

interface Given {
  readonly body: string | Buffer | null;
  readonly route?: RouteDefinition;
  readonly query?: string;
  readonly fields?: readonly string[];
  readonly decoded?: boolean;
}

function unread({ body, route = BATCH, query = '', fields = [], decoded = false }: Given): UnreadEvents {
  const bytes = body === null ? null : Buffer.from(body);
  const type = fields.includes('Content-Type') ? [] : ['Content-Type', 'application/json'];
  return {
    ...WEB,
    facts: factsOf({ target: route.path }, [...type, 'Content-Length', String(bytes?.length ?? 1), ...fields]),
    path: route.path,
    query,
    route: compileRoutes([route]).match('POST', route.path) as RouteMatch,
    body: bytes,
    decoded,
  };
}

/** Names found, and how often events could not be judged. */
async function read(...given: readonly Given[]): Promise<[string[], number]> {
  const [events, unreadable] = await counted(...given);
  return [Object.keys(events), unreadable];
}

/** How often each name was found, and how often events could not be judged. */
async function counted(...given: readonly Given[]): Promise<[Record<string, number>, number]> {
  const observations = new Observations({ days: 30 });
  const reader = createEventReader(observations);
  for (const one of given) reader.add(unread(one));
  await reader.idle();
  const counts = observations.read(WEB, dayOf(NOON)) as DayCounts | null;
  const events = [...(counts?.events.good ?? [])].map(([name, { good }]) => [name, good] as const);
  return [Object.fromEntries(events), counts?.obstacles.get('unreadable_events')?.requests ?? 0];
}

const batch = (...names: readonly unknown[]): string => JSON.stringify({ batch: names.map((event) => ({ event })) });

t.test('names of events, each once a request', async (t) => {
  t.same(await read({ body: batch('a', 'b', 'a') }, { body: batch('b') }), [['a', 'b'], 0]);
  const thrice = [batch('a', 'b', 'a'), batch('b', 'c'), '{', batch('b')].map((body) => ({ body }));
  t.same(await counted(...thrice), [{ a: 1, b: 3, c: 1 }, 1]);
  t.same(await read({ body: '{"batch":[]}' }), [[], 0], 'an empty batch would pass');
  t.same(await read({ body: '{"event":"x"}', route: { method: 'POST', path: '/track', events: 'event' } }), [['x'], 0]);
});

t.test('in a content coding, or sent on without it', async (t) => {
  const fields = ['Content-Encoding', 'gzip'];
  t.same(await read({ body: gzipSync(batch('a')), fields }), [['a'], 0]);
  t.same(await read({ body: batch('a'), fields, decoded: true }), [['a'], 0]);
  t.same(await read({ body: batch('a'), fields }), [[], 1]);
  t.same(await read({ body: batch('a'), fields: ['Content-Encoding', 'rot13'] }), [[], 1]);
  const large = gzipSync(batch('a').padEnd(1_048_577));
  t.same(await read({ body: large, fields }), [[], 1], 'what becomes too large is not looked into');
});

t.test('gzip that no field tells of, where the route looks into it, and never within another coding', async (t) => {
  const route = { ...BATCH, gzip: true };
  const body = gzipSync(batch('a'));
  const fields = ['Content-Encoding', 'gzip'];
  t.same(await read({ body, route }), [['a'], 0]);
  t.same(await read({ body }), [[], 1]);
  t.same(await read({ body, route, fields, decoded: true }), [[], 1]);
  t.same(await read({ body: gzipSync(body), route, fields }), [[], 1]);
});

t.test('in a form, where the route takes one', async (t) => {
  const route: RouteDefinition = { method: 'POST', path: '/form', events: '[].event', form: 'data' };
  const fields = ['Content-Type', 'application/x-www-form-urlencoded'];
  const body = `data=${encodeURIComponent('[{"event":"a"}]')}`;
  t.same(await read({ body, route, fields }), [['a'], 0]);
  t.same(await read({ body, fields }), [[], 1], 'and nowhere else');
});

t.test(
  'a form that holds base64 of JSON beside its field is unreadable where the backend looks for that',
  async (t) => {
    const route: RouteDefinition = { method: 'POST', path: '/form', events: '[].event', form: 'data', query: ['ip'] };
    const fields = ['Content-Type', 'application/x-www-form-urlencoded'];
    const value = encodeURIComponent('[{"event":"a"}]');
    const body = `ip=base64,${Buffer.from('[{"event":"b"}]').toString('base64')}&data=${value}`;
    t.same(await read({ body, route, fields }), [['a'], 0]);
    const lenient = { ...route, backend: { base64: true } };
    t.same(await read({ body, route: lenient, fields }), [[], 1]);
    t.same(await read({ body: `ip=1&data=${value}`, route: lenient, fields }), [['a'], 0]);
    const coded = encodeURIComponent(Buffer.from('[{"event":"a"}]').toString('base64'));
    t.same(
      await read({ body: `ip=1&data=${coded}`, route: lenient, fields }),
      [['a'], 0],
      'the field itself is judged',
    );
  },
);

t.test('what a key limited to events could not have sent is unreadable', async (t) => {
  for (const body of ['', '{', '{"batch":1}', '{"batch":[{"event":"a"}],"batch":[]}', '{"Batch":[]}', `${batch('a')}x`])
    t.same(await read({ body }), [[], 1], body);
  t.same(await read({ body: batch('a', 5) }), [['a'], 1]);
  t.same(await read({ body: batch('a'), query: '?ip=1' }), [['a'], 0]);
  t.same(await read({ body: batch('a'), query: '?event=b' }), [[], 1]);
  t.same(await read({ body: batch('a'), fields: ['Content-Type', 'text/csv'] }), [[], 1]);
});

t.test('names beside those that could not be judged are still told', async (t) => {
  t.same(await read({ body: batch('a', null) }), [['a'], 1]);
});

t.test('what is too large, or finds no room among those that wait, is unreadable', async (t) => {
  t.same(await read({ body: null }), [[], 1]);
  const large = batch('a').padEnd(MOST_BODY_BYTES);
  const [names, unreadable] = await read(...Array.from({ length: 40 }, () => ({ body: large })));
  t.same(names, ['a']);
  t.ok(unreadable >= 8 && unreadable < 40, String(unreadable));
});

t.test('what waits costs more than its bytes, and gives its room back', async (t) => {
  const observations = new Observations({ days: 30 });
  const reader = createEventReader(observations);
  const small = unread({ body: batch('a').padEnd(20_000) });
  const room = Math.floor(8_388_608 / (2048 + (small.body?.length ?? 0)));
  for (const round of [1, 2]) {
    for (let i = 0; i < room + 5; i++) reader.add(small);
    await reader.idle();
    const counts = observations.read(WEB, dayOf(NOON));
    t.equal(counts?.events.good.get('a')?.good, round * room);
    t.equal(counts?.obstacles.get('unreadable_events')?.requests, round * 5);
  }
});

t.test('nothing is read in the turn of the request, and others have theirs while very much waits', async (t) => {
  const observations = new Observations({ days: 30 });
  const reader = createEventReader(observations);
  const large = batch(...Array.from({ length: 5000 }, (_, i) => `name-${i}`));
  for (let i = 0; i < 30; i++) reader.add(unread({ body: large }));
  t.equal(observations.read(WEB, dayOf(NOON)), null);
  let turns = 0;
  let done = false;
  const count = (): void => {
    turns++;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  await reader.idle();
  done = true;
  t.ok(turns > 1, String(turns));
  t.equal(observations.read(WEB, dayOf(NOON))?.events.good.get('name-0')?.good, 30);
});
