import t from 'tap';
import { showDefinition } from '../../src/admin/definition-view.ts';
import { keysInForce } from '../../src/admin/keys-in-force.ts';
import { compileKeys } from '../../src/keys/compile.ts';
import type { KeySnapshot } from '../../src/keys/key.ts';
import { NO_RECORDS, type LoadedDefinition, type SharedRecords } from '../../src/keys/definition.ts';
import { readDefinition } from '../../src/keys/read-definition.ts';

const read = (fields: Record<string, unknown>): LoadedDefinition => {
  const definition = readDefinition({ secret: `secret-of-${String(fields['id'])}-0001`, ...fields });
  if (!definition.ok) throw new Error(JSON.stringify(definition.findings));
  return { id: String(fields['id']), definition: definition.value };
};

/** As it is written. */
function listed(snapshot: KeySnapshot | null) {
  const { field, items, show, rest } = keysInForce(snapshot);
  return { [field]: [...items].map(show), ...rest };
}

const office = { id: 'office', definition: { kind: 'literal', entries: [] } } as const;
const records: SharedRecords = { ...NO_RECORDS, lists: new Map([['office', office]]) };

t.test('a key in force is shown as its definition is, without descriptions', (t) => {
  const definitions = [
    read({ id: 'plain', type: 'write-only' }),
    read({
      id: 'full',
      type: 'read-write',
      apis: ['orders'],
      allowedRoutes: ['GET /v1/orders/:id'],
      enabled: false,
      expiresAt: '2099-01-01T00:00:00.000Z',
      allowFrom: ['203.0.113.0/24', { list: 'office' }],
      denyFrom: ['203.0.113.9'],
      allowedEvents: ['login', 'page_view'],
      disallowedEvents: 'reject',
      allowedOrigins: ['https://example.com'],
      allowBrowsers: true,
      accessToken: 'never',
      rateLimit: { requests: 5, windowSeconds: 2 },
      mode: 'report',
    }),
    read({ id: 'nobody', type: 'read-only', allowFrom: [], allowedEvents: [], allowedRoutes: [] }),
    read({ id: 'm', type: 'metrics', apiKey: 'api-key-of-this-test', cacheTtlMinutes: 7 }),
  ];
  const { keys, invalid } = listed(compileKeys(definitions, 1, records));
  const shown = definitions.map((one) => ('definition' in one ? showDefinition(one.definition, NO_RECORDS) : null));
  t.same(keys, shown);
  t.same(invalid, []);
  t.notMatch(JSON.stringify(keys), /sha256/);
  t.end();
});

t.test('what a key has from its policy is told', (t) => {
  const policy = { id: 'partners', definition: { type: 'read-only', allowFrom: [], allowedRoutes: [] } } as const;
  const shared: SharedRecords = { ...records, policies: new Map([['partners', policy]]) };
  const definition = read({ id: 'one', policy: 'partners', allowFrom: ['192.0.2.1'] });
  const [shown] = listed(compileKeys([definition], 1, shared)).keys as { inherited: string[]; policy: string }[];
  t.equal(shown?.policy, 'partners');
  t.same(shown?.inherited, ['allowedRoutes']);
  t.end();
});

t.test('before there are keys there are none to show; one that cannot be used is named', (t) => {
  t.same(listed(null), { keys: [], invalid: [] });
  const { invalid } = listed(compileKeys([{ id: 'bad', invalid: 'it is no mapping' }], 1));
  t.same(invalid, [{ id: 'bad', why: 'it is no mapping' }]);
  t.end();
});
