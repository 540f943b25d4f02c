import t from 'tap';
import { listUsersIn, readListBody, readPolicyBody, showList, showUsers } from '../../src/admin/record-view.ts';
import type { Config } from '../../src/config/schema.ts';
import { compileAddressSet, parseCidr } from '../../src/lib/cidr.ts';

const NOBODY = showUsers({ keys: [], policies: [] }, []);
const set = compileAddressSet(
  ['2001:db8::/32', '10.0.0.0/8', '10.1.0.0/16'].flatMap((text) => {
    const parsed = parseCidr(text);
    return parsed.ok ? [parsed.value] : [];
  }),
);
const URL_LIST = { kind: 'url', url: 'https://example.com/a', refreshMinutes: 5, maxEntries: 10 } as const;
const status = { name: 'cdn', up: false, entries: 3, lastSuccessAt: 1000, why: 'line 7 is no address: "root:x"' };

t.test(
  'a list from elsewhere shows its networks and how old they are, and none of a text that is no list',
  async (t) => {
    t.same(showList('cdn', URL_LIST, NOBODY, { status, set, now: 61_000 }), {
      name: 'cdn',
      ...URL_LIST,
      entries: [
        { address: '10.0.0.0/8', description: '' },
        { address: '2001:db8::/32', description: '' },
      ],
      total: 3,
      up: false,
      why: 'line 7 is no address',
      lastSuccessAt: '1970-01-01T00:00:01.000Z',
      ageSeconds: 60,
      usedBy: NOBODY,
    });
    t.match(showList('cdn', URL_LIST, NOBODY, { status: undefined, set: undefined, now: 0 }), {
      entries: [],
      total: 0,
      up: false,
      ageSeconds: null,
    });
  },
);

t.test('a list may be sent back as it is shown, and its definition changed', async (t) => {
  const shown = showList('cdn', URL_LIST, NOBODY, { status, set, now: 0 });
  t.same(readListBody(shown, 'cdn', set), { ok: true, value: URL_LIST });
  t.same(readListBody({ ...shown, refreshMinutes: 9 }, 'cdn', set), {
    ok: true,
    value: { ...URL_LIST, refreshMinutes: 9 },
  });
  const fieldsOf = (body: unknown, name = 'cdn') => {
    const read = readListBody(body, name, set);
    return read.ok ? [] : read.findings.map(({ path }) => path.join('.'));
  };
  t.same(fieldsOf({ ...shown, entries: [] }), ['entries']);
  t.same(fieldsOf({ ...shown, name: 'other' }), ['name']);
  t.same(fieldsOf(['10.0.0.0/8'], 'A B'), ['name'], 'whatever is sent under it');
  t.same(fieldsOf({ entries: ['10.0.0.1/8', 'x'] }), ['entries.0', 'entries.1']);
  t.same(fieldsOf({ entries: [], file: 'x', maxEntries: 1 }).includes('maxEntries'), true);
  t.same(fieldsOf('10.0.0.0/8'), ['']);
});

t.test('a policy may be sent back as it is shown', async (t) => {
  const fields = { type: 'read-only', denyFrom: [{ address: '10.0.0.0/8', description: 'Lab' }] };
  t.same(readPolicyBody({ name: 'p', ...fields, usedBy: NOBODY }, 'p'), { ok: true, value: fields });
  for (const body of [{ name: 'q' }, { usedby: 1 }, [], null, { id: 'x' }]) t.notOk(readPolicyBody(body, 'p').ok);
});

t.test('users are counted whole, and named up to a bound', async (t) => {
  const keys = Array.from({ length: 1500 }, (_, i) => `k${i}`);
  const shown = showUsers({ keys, policies: ['p'] }, ['listen.denyFrom']);
  t.same([shown.keys.length, shown.total], [1000, 1502]);
});

t.test('the fields of the configuration that name a list', async (t) => {
  const config = {
    listen: { denyFrom: ['10.0.0.0/8', { list: 'a' }] },
    apis: { x: { allowFrom: 'anywhere', denyFrom: [{ list: 'a' }] }, y: { allowFrom: [{ list: 'a' }], denyFrom: [] } },
  } as unknown as Config;
  t.same(listUsersIn(config, 'a'), ['listen.denyFrom', 'apis.x.denyFrom', 'apis.y.allowFrom']);
  t.same(listUsersIn(config, 'b'), []);
});
