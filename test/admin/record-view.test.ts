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
    t.same(showList('cdn', URL_LIST, NOBODY, { status: undefined, set: undefined, now: 0 }), {
      name: 'cdn',
      ...URL_LIST,
      entries: [],
      total: 0,
      up: false,
      why: null,
      lastSuccessAt: null,
      ageSeconds: null,
      usedBy: NOBODY,
    });
    const shown = (change: object, now = 0) =>
      showList('cdn', URL_LIST, NOBODY, { status: { ...status, ...change }, set, now }) as typeof status & {
        readonly ageSeconds: number;
      };
    t.equal(shown({ up: true }).up, true);
    t.same([shown({ lastSuccessAt: null }).lastSuccessAt, shown({ lastSuccessAt: null }).ageSeconds], [null, null]);
    t.same([shown({}, 2600).ageSeconds, shown({}, 999).ageSeconds], [2, 0], 'a clock that was set back');
    const whyOf = (why: string | null) => shown({ why }).why;
    for (const why of ['it is empty', 'not believed: line 7 is no address: "x"', 'line is no address: "x"', null])
      t.equal(whyOf(why), why);
    t.equal(whyOf('line 12 is no address: "a\nb"'), 'line 12 is no address');
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
  t.same(fieldsOf({}), ['file'], 'neither entries nor from where to read them');
  t.same(fieldsOf(URL_LIST), [], 'entries that are left out are not changed');
  t.same(fieldsOf({ ...shown, entries: [], name: 'other', maxEntries: 0 }), ['name', 'entries', 'maxEntries']);
  t.same(fieldsOf({ name: 'cdn', entries: ['10.0.0.0/8'] }), []);
  t.same(fieldsOf({ name: 'other', entries: ['x'] }), ['name', 'entries.0']);
  const bad = readListBody({ entries: ['x'] }, 'A B', set);
  t.match(bad.ok || bad.findings.map(({ message }) => message), [/lower-case|letters/, /address/]);
});

t.test('a literal list shows all that it holds, and how many that are', async (t) => {
  const entries = [{ address: '192.0.2.1', description: 'One' }];
  t.match(showList('office', { kind: 'literal', entries }, NOBODY, { status: undefined, set, now: 0 }), {
    entries,
    total: 1,
  });
});

t.test('a policy may be sent back as it is shown', async (t) => {
  const fields = { type: 'read-only', denyFrom: [{ address: '10.0.0.0/8', description: 'Lab' }] };
  t.same(readPolicyBody({ name: 'p', ...fields, usedBy: NOBODY }, 'p'), { ok: true, value: fields });
  const wrong = readPolicyBody({ name: 'q', mode: 'x' }, 'p');
  t.same(wrong.ok || wrong.findings.map(({ path }) => path), [['name'], ['mode']]);
  const nameless = readPolicyBody(null, 'A B');
  t.same(nameless.ok || nameless.findings.map(({ path }) => path), [['name'], []]);
  for (const body of [{ name: 'q' }, { usedby: 1 }, [], null, { id: 'x' }]) t.notOk(readPolicyBody(body, 'p').ok);
});

t.test('users are counted whole, and named up to a bound', async (t) => {
  const keys = Array.from({ length: 1500 }, (_, i) => `k${i}`);
  const shown = showUsers({ keys, policies: ['p'] }, ['listen.denyFrom']);
  t.same([shown.keys.length, shown.keys[0], shown.total], [1000, 'k0', 1502]);
  const many = compileAddressSet(
    Array.from({ length: 1001 }, (_, i) => parseCidr(`10.${i >> 7}.${(i & 127) * 2}.0/24`)).flatMap((parsed) =>
      parsed.ok ? [parsed.value] : [],
    ),
  );
  const { entries } = showList('cdn', URL_LIST, NOBODY, { status, set: many, now: 0 }) as { entries: unknown[] };
  t.equal(entries.length, 1000);
});

t.test('the fields of the configuration that name a list', async (t) => {
  const config = {
    listen: { denyFrom: ['10.0.0.0/8', { list: 'a' }] },
    apis: { x: { allowFrom: 'anywhere', denyFrom: [{ list: 'a' }] }, y: { allowFrom: [{ list: 'a' }], denyFrom: [] } },
  } as unknown as Config;
  t.same(listUsersIn(config, 'a'), ['listen.denyFrom', 'apis.x.denyFrom', 'apis.y.allowFrom']);
  t.same(listUsersIn(config, 'b'), []);
});
