import t from 'tap';
import type { SharedRecords } from '../../src/keys/definition.ts';
import { describeFindings, readDefinition, writtenDefinition } from '../../src/keys/read-definition.ts';
import { readStoredList, readStoredPolicy } from '../../src/keys/stored-records.ts';
import { recordsNamedBy, unknownApis, wholeDefinition } from '../../src/keys/whole-definition.ts';

const RECORDS: SharedRecords = {
  policies: new Map(
    Object.entries({
      partners:
        '{"type":"read-only","apis":["orders"],"rateLimit":{"requests":1,"windowSeconds":2},"allowFrom":[{"list":"office"}]}',
      untyped: '{"mode":"report","allowBrowsers":true}',
      counter: '{"type":"metrics"}',
      lost: '{"type":"read-only","denyFrom":[{"list":"gone"}]}',
      broken: '{"typ":1}',
    }).map(([name, json]) => [name, readStoredPolicy(name, json)]),
  ),
  lists: new Map([
    ['office', readStoredList('office', '["192.0.2.1"]')],
    ['bad', readStoredList('bad', '[')],
  ]),
};

function key(written: Record<string, unknown>) {
  const read = readDefinition({ id: 'a', secret: 'a secret of the key', ...written });
  if (!read.ok) throw new Error(describeFindings(read.findings));
  return read.value;
}
const whole = (written: Record<string, unknown>) => {
  const made = wholeDefinition(key(written), RECORDS);
  return made.ok ? made.value : describeFindings(made.findings);
};

t.test('its own fields, then those of its policy, then the defaults', async (t) => {
  t.match(whole({ policy: 'partners', mode: 'report' }), {
    id: 'a',
    policy: 'partners',
    type: 'read-only',
    apis: ['orders'],
    mode: 'report',
    rateLimit: { requests: 1, windowSeconds: 2 },
    allowFrom: [{ list: 'office' }],
    enabled: true,
    allowBrowsers: false,
  });
  t.match(whole({ policy: 'partners', allowFrom: 'anywhere', rateLimit: null, type: 'write-only' }), {
    type: 'write-only',
    allowFrom: 'anywhere',
    rateLimit: null,
    allowBrowsers: null,
  });
  t.match(whole({ policy: 'partners', rateLimit: { requests: 9, windowSeconds: 9 }, allowedEvents: null }), {
    rateLimit: { requests: 9, windowSeconds: 9 },
    allowedEvents: 'all',
  });
  const plain = key({ type: 'read-write' });
  const made = wholeDefinition(plain, RECORDS);
  t.equal(made.ok && made.value, plain, 'without a policy there is nothing to add');
});

t.test('why a key cannot be used with what it names', async (t) => {
  t.equal(whole({ policy: 'elsewhere' }), 'policy is the name of no policy: "elsewhere"', 'nothing is near');
  t.match(
    whole({ policy: 'elsewhere', allowFrom: [{ list: 'office' }], denyFrom: ['192.0.2.1', { list: 'bad' }] }),
    /^policy is the name of no policy: "elsewhere"; denyFrom\[1\]\.list is bad, which cannot be used/,
    'all of it',
  );
  t.match(whole({ policy: 'partner' }), /^policy is the name of no policy: "partner"; did you mean "partners"\?/);
  for (const field of ['allowFrom', 'denyFrom'])
    t.match(
      whole({ policy: 'partners', [field]: [{ list: 'bad' }] }),
      new RegExp(`^${field}\\[0\\]\\.list is bad, which cannot be used`),
      'also beside a good policy',
    );
  t.match(whole({ policy: 'broken' }), /^policy is broken, which cannot be used: typ is not a known field/);
  t.match(whole({ policy: 'untyped' }), /^type is missing: .* here or in the policy untyped/);
  t.match(whole({ policy: 'untyped', type: 'write-only' }), /^policy brings allowBrowsers, which is only for/);
  t.match(whole({ policy: 'partners', cacheTtlMinutes: 5 }), /^cacheTtlMinutes is only for metrics keys/);
  t.match(
    whole({ policy: 'lost' }),
    /^policy brings denyFrom, which names a list: it is the name of no address list: "gone"/,
  );
  t.match(
    whole({ type: 'read-only', allowFrom: [{ list: 'ofice' }] }),
    /^allowFrom\[0\]\.list is the name of no address list.*office/,
  );
  t.match(
    whole({ type: 'read-only', denyFrom: [{ list: 'bad' }] }),
    /^denyFrom\[0\]\.list is bad, which cannot be used: it is not JSON/,
  );
  t.match(whole({ type: 'read-only', policy: 'partners' }), { type: 'read-only' });
  const metrics = { type: 'metrics', policy: 'partners', apiKey: 'an-api-key' };
  t.match(whole(metrics), /^policy brings apis, which must be \[metrics\]/);
  t.match(
    whole({ ...metrics, apis: ['metrics'] }),
    { type: 'metrics', apis: ['metrics'] },
    'what the key says itself is no matter',
  );
  t.match(whole({ policy: 'counter' }), /^it needs `apiKey`/);
  t.match(whole({ policy: 'counter', apiKey: 'an-api-key' }), { type: 'metrics', accessToken: 'required' });
});

t.test('what is written of a key with a policy says what the key says, and no more', async (t) => {
  const said = { id: 'a', policy: 'partners', rateLimit: null, allowFrom: 'anywhere', enabled: true };
  const { secrets: _, ...written } = writtenDefinition(key(said));
  t.same(written, said);
  t.same(readDefinition(writtenDefinition(key(said))), { ok: true, value: key(said) });
  const { secrets: __, ...plain } = writtenDefinition(key({ type: 'read-only', rateLimit: null, enabled: true }));
  t.same(plain, { id: 'a', type: 'read-only' }, 'without a policy defaults go without saying');
});

t.test('which policies, lists and APIs are named', async (t) => {
  t.same(recordsNamedBy(key({ type: 'read-only' }), RECORDS), []);
  t.same(recordsNamedBy(key({ policy: 'partners', denyFrom: [{ list: 'bad' }, '192.0.2.1'] }), RECORDS), [
    'list:bad',
    'policy:partners',
    'list:office',
  ]);
  t.same(recordsNamedBy(key({ policy: 'nowhere' }), RECORDS), ['policy:nowhere']);
  t.same(recordsNamedBy(key({ policy: 'broken' }), RECORDS), ['policy:broken']);
  for (const fields of [{}, { apis: 'all' }, { apis: [] }, { type: 'metrics', apis: ['nowhere'] }] as const)
    t.same(unknownApis(fields, []), [], JSON.stringify(fields));
  t.same(unknownApis({ apis: ['orders', 'metrics'] }, ['orders']), [], 'the name metrics is always known');
  t.match(unknownApis({ apis: ['order'] }, ['orders']), [
    { path: ['apis', 0], message: 'is the name of no API: "order"; did you mean "orders"?' },
  ]);
});
