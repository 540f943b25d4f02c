import t from 'tap';
import { observationOperations } from '../../src/admin/observation-operations.ts';
import type { SharedRecords } from '../../src/keys/definition.ts';
import type { Subject } from '../../src/observe/observations.ts';
import { unboundedCounts } from '../../src/observe/store.ts';
import { asking, loadedKey, storedWorld } from '../support/admin-operations.ts';
import { seenAt } from '../support/observed.ts';
import { apiRules, NOON, rulesOf } from '../support/passages.ts';

const APIS = { integration: apiRules(), metrics: apiRules({ name: 'metrics' }) };
const INGEST = 'integration listed POST /event/ingest';
const records: SharedRecords = {
  policies: new Map([['readers', { id: 'readers', definition: { type: 'read-only' } }]]),
  lists: new Map(),
};

/** How often a route found no room, by whose it was. The key \`elsewhere\` is for another API. */
const MISSED: Readonly<Record<string, number>> = { integration: 1, web: 2, elsewhere: 4 };

/** What the key `web` and callers without a key did; `read` tells of whom, and of how many days, was asked. */
function started({ observing = true } = {}) {
  const world = storedWorld(
    [
      loadedKey({ id: 'web', type: 'write-only', secret: 'the-secret-of-web' }),
      loadedKey({ id: 'elsewhere', type: 'write-only', apis: ['other'], secret: 'the-secret-of-elsewhere' }),
      loadedKey({ id: 'shared', policy: 'readers', secret: 'the-secret-of-shared' }),
      loadedKey({ id: 'lost', policy: 'nobody', secret: 'the-secret-of-lost' }),
      { id: 'broken', invalid: 'it is not JSON' },
    ],
    records,
  );
  const reads: string[] = [];
  const read = async ({ kind, name }: Subject, days: number) => {
    reads.push(`${kind} ${name} ${days}`);
    const counts = unboundedCounts();
    if (name === 'web') counts.count(seenAt(NOON, { address: '198.51.100.1', route: INGEST }));
    if (name === 'integration') counts.count(seenAt(NOON, { address: '198.51.100.9', route: INGEST }));
    counts.routes.miss(MISSED[name] ?? 0);
    return counts;
  };
  const ask = asking(
    observationOperations({
      observer: observing ? { read, days: 30 } : null,
      rules: () => ({ ...rulesOf([], APIS), keys: world.snapshot() ?? rulesOf([]).keys }),
      changes: world.changes,
      now: () => NOON,
    }),
  );
  const ofKey = (operation: string, id: string, more: object = {}) => ask(operation, { params: { id }, ...more });
  const ofApi = (name: string, query: object = {}) => ask('getObservedApi', { params: { name }, query });
  return { ofKey, ofApi, reads, world };
}

const OF_KEYS = ['getObserved', 'getSuggestion', 'askWhatIf'];

t.test('where nothing is observed, that is said, and of what is not there, too', async (t) => {
  const { ofKey, ofApi } = started({ observing: false });
  for (const operation of OF_KEYS) {
    const { status, body } = await ofKey(operation, 'web', { body: { type: 'write-only' } });
    t.same([status, body.code], [409, 'not_observing'], operation);
  }
  t.equal((await ofApi('integration')).body.code, 'not_observing');
  t.equal((await ofApi('integration', { callers: 'all' })).body.code, 'not_observing');
  t.equal((await ofApi('nobody')).body.code, 'not_found');
});

t.test('a key that is not there, cannot be read or cannot be found out about', async (t) => {
  const { ofKey, world } = started();
  for (const operation of OF_KEYS) {
    const codeOf = async (id: string) => (await ofKey(operation, id, { body: {} })).body.code;
    t.equal(await codeOf('nobody'), 'not_found');
    t.equal(await codeOf('broken'), 'malformed_definition');
    t.equal((await ofKey(operation, 'web', { query: { days: 'x' } })).body.code, 'invalid_request');
    world.failure = { kind: 'unavailable', why: 'It is away.' };
    t.equal(await codeOf('web'), 'source_unavailable');
    world.failure = null;
  }
  const lost = await ofKey('getSuggestion', 'lost');
  t.same([lost.status, lost.body.code], [409, 'malformed_definition']);
  t.match(lost.body.detail, /nobody/, 'it names the policy that is not there');
});

t.test('what a key did, in all days or in those that are asked for', async (t) => {
  const { ofKey, reads } = started();
  const { status, body } = await ofKey('getObserved', 'web');
  t.same([status, body.good, body.addresses[0].address], [200, 1, '198.51.100.1']);
  await ofKey('getObserved', 'web', { query: { days: '7' } });
  t.same(reads, ['key web 30', 'key web 7']);
  const suggested = await ofKey('getSuggestion', 'web');
  t.same([suggested.status, suggested.body.fields.allowFrom], [200, ['198.51.100.1']]);
  t.same(suggested.body.because.allowFrom, [
    { value: '198.51.100.1', requests: 1, lastSeen: new Date(NOON).toISOString() },
  ]);
});

t.test(
  'what a definition would have refused of it, whole with its policy and with the time of the moment',
  async (t) => {
    const { ofKey } = started();
    const asked = async (body: object, id = 'web') => await ofKey('askWhatIf', id, { body });
    const allowed = await asked({ type: 'write-only' });
    t.same([allowed.status, allowed.body], [200, { requests: 1, wouldRefuse: [] }]);
    const refusedFor = async (body: object) =>
      (await asked(body)).body.wouldRefuse.map(({ reason }: { reason: string }) => reason);
    t.same(await refusedFor({ type: 'write-only', allowFrom: ['192.0.2.1'] }), ['ip_not_allowed']);
    t.same(await refusedFor({ policy: 'readers' }), ['method_not_allowed']);
    const ended = (seconds: number) => ({
      type: 'write-only',
      expiresAt: new Date(NOON + seconds * 1000).toISOString(),
    });
    t.same(await refusedFor(ended(1)), []);
    t.strictNotSame(await refusedFor(ended(0)), []);
    const wrong = await asked({ type: 'x' });
    t.same([wrong.status, wrong.body.code, wrong.body.findings[0].field], [422, 'invalid_definition', 'type']);
    const nameless = await asked({ policy: 'nobody' });
    t.same([nameless.status, nameless.body.code], [422, 'invalid_definition']);
    t.same(
      nameless.body.findings.map(({ field }: { field: string }) => field),
      [''],
    );
    t.match(nameless.body.findings[0].message, /nobody/);
  },
);

t.test(
  'what callers of an API did: those without a known key, or everybody, each route with who used it',
  async (t) => {
    const { ofApi, reads } = started();
    t.equal((await ofApi('nobody')).status, 404);
    t.equal((await ofApi('integration', { callers: 'some' })).body.code, 'invalid_request');
    t.same(reads, []);
    for (const query of [{}, { callers: 'unknown' }]) {
      const unknown = await ofApi('integration', { ...query, days: '3' });
      t.same([unknown.status, unknown.body.requests, unknown.body.routes[0].keys], [200, 1, undefined]);
    }
    t.same(reads.splice(0), ['api integration 3', 'api integration 3']);
    const all = await ofApi('integration', { callers: 'all', days: '2' });
    t.equal(all.status, 200);
    t.equal(all.body.requests, 1, 'of callers without a known key');
    t.same(
      all.body.routes.map(({ path, requests, keys }: Record<string, unknown>) => [path, requests, keys]),
      [['/event/ingest', 2, ['', 'web']]],
    );
    t.equal(all.body.truncated.routes, 3, 'of all who may have been here');
    t.same(reads, ['api integration 2', 'key web 2', 'key elsewhere 2', 'key shared 2']);
  },
);
