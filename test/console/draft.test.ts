/** The form of a key: that saving an untouched form changes nothing, and that two people's changes are joined. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { KeyDefinition } from '../../src/admin/console/api/types.ts';
import {
  definitionOf,
  differences,
  draftOf,
  NEW_DRAFT,
  rebase,
  typesOf,
  withoutBlankRows,
} from '../../src/admin/console/keys/draft.ts';
import { FIELDS, type FieldName } from '../../src/admin/console/keys/fields.ts';
import { FIELD_TYPES } from '../../src/keys/definition.ts';
import { KEY_TYPES } from '../../src/keys/key.ts';
import { readDefinition } from '../../src/keys/read-definition.ts';

const common = {
  id: 'k',
  description: 'd',
  enabled: true,
  expiresAt: null,
  rateLimit: null,
  mode: 'enforce' as const,
  secrets: [],
  allowFrom: 'anywhere' as const,
  apiKey: null,
  apis: 'all' as const,
  allowedRoutes: 'all' as const,
  denyFrom: [],
  accessToken: 'allowed' as const,
  policy: null,
  inherited: [],
};
const writeOnly = {
  ...common,
  type: 'write-only' as const,
  allowedEvents: 'all' as const,
  disallowedEvents: 'remove' as const,
  allowedOrigins: ['*'],
  allowBrowsers: null,
  cacheTtlMinutes: null,
};
const metrics = {
  ...common,
  type: 'metrics' as const,
  allowedEvents: null,
  disallowedEvents: null,
  allowedOrigins: ['*'],
  allowBrowsers: false,
  cacheTtlMinutes: 15,
};

void t.test('an untouched form describes what it was made from', async (t) => {
  const trimmed = fc.string().map((text) => text.trim());
  const plain = { noNullPrototype: true };
  const fields = fc.record(
    {
      description: fc.string(),
      enabled: fc.boolean(),
      allowFrom: fc.oneof(
        fc.constant('anywhere' as const),
        fc.array(
          fc.oneof(fc.record({ address: trimmed, description: trimmed }, plain), fc.record({ list: trimmed }, plain)),
        ),
      ),
      policy: fc.option(fc.string()),
      allowedEvents: fc.oneof(fc.constant('all' as const), fc.array(fc.string())),
      disallowedEvents: fc.constantFrom('remove' as const, 'reject' as const),
      allowedOrigins: fc.oneof(fc.constant(['*']), fc.array(fc.webUrl())),
      rateLimit: fc.option(fc.record({ requests: fc.nat(), windowSeconds: fc.nat() }, plain)),
      mode: fc.constantFrom('enforce' as const, 'report' as const),
      expiresAt: fc.option(fc.constant('2030-01-01T00:00:00+02:00')),
      apis: fc.oneof(fc.constant('all' as const), fc.array(fc.string())),
      allowedRoutes: fc.oneof(fc.constant('all' as const), fc.array(fc.string())),
      denyFrom: fc.array(fc.record({ address: trimmed, description: trimmed }, plain)),
      accessToken: fc.constantFrom('allowed' as const, 'required' as const, 'never' as const),
    },
    plain,
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fields, (written) => {
        const definition = { ...writeOnly, ...written } as KeyDefinition;
        assert.deepStrictEqual(definitionOf(draftOf(definition), 'write-only'), { ...written, type: 'write-only' });
      }),
      { numRuns: 50 },
    ),
  );
});

void t.test('each type has the fields that it has, and no others', async (t) => {
  t.notOk('allowBrowsers' in definitionOf(draftOf(writeOnly), 'write-only'));
  const sent = definitionOf(draftOf(metrics), 'metrics');
  t.match(sent, { cacheTtlMinutes: 15, allowBrowsers: false });
  for (const field of ['allowedEvents', 'disallowedEvents', 'apiKey']) t.notOk(field in sent, field);
});

void t.test('a form shows a field for the very types that have it', async (t) => {
  const types: Partial<Record<FieldName, readonly string[]>> = FIELD_TYPES;
  for (const name of Object.keys(FIELDS) as FieldName[]) t.same(typesOf(name), types[name], name);
});

void t.test('what is no number goes as it was typed, for the server to judge', async (t) => {
  const typed = (cacheTtlMinutes: string) =>
    definitionOf({ ...draftOf(metrics), cacheTtlMinutes }, 'metrics').cacheTtlMinutes;
  t.equal(typed('30'), 30);
  t.equal(typed('soon'), 'soon');
  t.equal(typed(''), '');
  t.equal(typed(' '), ' ');
});

void t.test('rows without text are not saved', async (t) => {
  const rows = [
    { address: ' ', description: '' },
    { address: '192.0.2.1', description: '' },
    { address: '', description: 'forgotten' },
  ];
  const { locations, origins } = withoutBlankRows({
    ...NEW_DRAFT,
    locations: rows,
    origins: ['', 'https://a.example'],
  });
  t.strictSame(locations, rows.slice(1));
  t.strictSame(origins, ['https://a.example']);
});

void t.test('what stands in a part that is switched off is no difference', async (t) => {
  t.same(differences(NEW_DRAFT, { ...NEW_DRAFT, locations: [{ address: 'x', description: '' }], requests: '7' }), []);
  t.same(differences(NEW_DRAFT, { ...NEW_DRAFT, anywhere: false }), ['allowFrom']);
});

void t.test('two changes of different fields are both kept', async (t) => {
  const base = draftOf(writeOnly);
  const mine = { ...base, description: 'mine' };
  const theirs = { ...base, anywhere: false, locations: [{ address: '192.0.2.1', description: '' }] };
  const joined = rebase(mine, base, theirs);
  t.same(joined.draft, { ...theirs, description: 'mine' });
  t.same(joined.theirs, ['allowFrom']);
  t.same(joined.both, []);
});

void t.test('where both changed one field, what was typed stays and both are told', async (t) => {
  const base = draftOf(writeOnly);
  const joined = rebase({ ...base, description: 'mine' }, base, { ...base, description: 'theirs' });
  t.equal(joined.draft.description, 'mine');
  t.same(joined.both, ['description']);
  t.same(rebase({ ...base, description: 'same' }, base, { ...base, description: 'same' }).both, []);
});

void t.test('a new form holds the defaults of the definition', async (t) => {
  for (const type of KEY_TYPES) {
    const needed = { id: 'k', type, secret: 'a secret', ...(type === 'metrics' && { apiKey: 'an API key' }) };
    t.same(readDefinition({ ...definitionOf(NEW_DRAFT, type), ...needed }), readDefinition(needed), type);
    t.ok(readDefinition(needed).ok, type);
  }
});

void t.test('a field in words', async (t) => {
  const inWords = (change: Partial<KeyDefinition>, name: FieldName) =>
    FIELDS[name].words({ ...writeOnly, ...change } as KeyDefinition);
  const places = [
    { address: '192.0.2.1', description: 'Office' },
    { address: '::1', description: '' },
  ];
  t.equal(inWords({ description: '' }, 'description'), 'None');
  t.equal(inWords({ enabled: false }, 'enabled'), 'Disabled');
  t.equal(inWords({}, 'allowFrom'), 'Anywhere');
  t.equal(inWords({ allowFrom: [] }, 'allowFrom'), 'Nowhere');
  t.equal(inWords({ allowFrom: places }, 'allowFrom'), '192.0.2.1 Office, ::1');
  t.equal(inWords({}, 'allowedEvents'), 'All');
  t.equal(inWords({ allowedEvents: [] }, 'allowedEvents'), 'None');
  t.equal(inWords({ allowedEvents: ['a', 'b'] }, 'allowedEvents'), 'a, b');
  t.equal(inWords({}, 'disallowedEvents'), 'remove');
  t.equal(inWords({}, 'allowedOrigins'), 'Any origin');
  t.equal(inWords({ allowedOrigins: [] }, 'allowedOrigins'), 'None');
  t.equal(inWords({ allowedOrigins: ['https://a.example'] }, 'allowedOrigins'), 'https://a.example');
  t.equal(inWords({ allowBrowsers: true }, 'allowBrowsers'), 'Web pages may use it');
  t.equal(inWords({}, 'allowBrowsers'), 'No web page may use it');
  t.equal(inWords({}, 'rateLimit'), 'No limit');
  t.equal(inWords({ rateLimit: { requests: 5, windowSeconds: 60 } }, 'rateLimit'), '5 requests in 60 s');
  t.equal(inWords({}, 'mode'), 'Refuse');
  t.equal(inWords({ mode: 'report' }, 'mode'), 'Report only');
  t.equal(inWords({}, 'expiresAt'), 'Never');
  t.equal(inWords({ cacheTtlMinutes: 5 }, 'cacheTtlMinutes'), '5 minutes');
  t.equal(inWords({}, 'apiKey'), 'None');
  t.equal(inWords({ apiKey: { id: '0a' } }, 'apiKey'), 'begins with 0a');
});
