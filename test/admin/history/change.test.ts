import fc from 'fast-check';
import t from 'tap';
import {
  actionOf,
  changedFields,
  digestOfText,
  HistoryChange,
  stateOf,
  stateOfKey,
  stateOfRecord,
  textOfState,
} from '../../../src/admin/history/change.ts';
import type { KeyDefinition } from '../../../src/keys/definition.ts';
import { readDefinition } from '../../../src/keys/read-definition.ts';

const keyOf = (written: object): KeyDefinition => {
  const read = readDefinition({ id: 'web', type: 'read-write', secret: 'hunter2', ...written });
  if (!read.ok) throw new Error(JSON.stringify(read.findings));
  return read.value;
};
const metrics = keyOf({ type: 'metrics', apiKey: 'hunter2-too', secret: 'hunter2' });

t.test('a state shows everything but secrets, which stand as their ids', async (t) => {
  const state = stateOfKey(metrics);
  t.same(state?.['secrets'], [{ id: 'f52fbd32b2b3', expiresAt: null }]);
  t.match(state?.['apiKey'], { id: /^[0-9a-f]{12}$/ });
  t.notMatch(JSON.stringify(state), /hunter2|sha256|[0-9a-f]{16}/);
  t.notOk(state && 'id' in state, 'the target says it');
  t.same(stateOf({ id: 'web', invalid: 'it is not JSON' }, stateOfKey), { invalid: 'it is not JSON' });
  t.same(stateOf({ id: 'p', definition: { mode: 'report' } }, stateOfRecord), { mode: 'report' });
});

t.test('fields that changed stand before and after, and no others', async (t) => {
  const before = stateOfKey(keyOf({ allowFrom: ['192.0.2.1'] }));
  const after = stateOfKey(keyOf({ enabled: false, rateLimit: { requests: 1, windowSeconds: 2 } }));
  t.same(changedFields(before, after), {
    allowFrom: { before: [{ address: '192.0.2.1', description: '' }], after: 'anywhere' },
    enabled: { before: true, after: false },
    rateLimit: { before: null, after: { requests: 1, windowSeconds: 2 } },
  });
  t.same(changedFields(before, before), {});
  t.same(changedFields({ file: 'a', kind: 'file' }, { kind: 'literal', entries: [] }), {
    file: { before: 'a', after: null },
    kind: { before: 'file', after: 'literal' },
    entries: { before: null, after: [] },
  });
});

t.test('of what is new or gone, the defaults are left out', async (t) => {
  const key = stateOfKey(keyOf({ mode: 'report' }));
  const secrets = [{ id: 'f52fbd32b2b3', expiresAt: null }];
  t.same(changedFields(null, key), {
    type: { before: null, after: 'read-write' },
    mode: { before: null, after: 'report' },
    secrets: { before: null, after: secrets },
  });
  t.same(Object.keys(changedFields(key, null)).toSorted(), ['mode', 'secrets', 'type']);
  const sharing = stateOfKey(keyOf({ policy: 'partners', mode: 'enforce' }));
  t.same(
    Object.keys(changedFields(null, sharing)).toSorted(),
    ['mode', 'policy', 'secrets', 'type'],
    'said, since a policy could say otherwise',
  );
  t.same(changedFields(null, { mode: 'enforce' }), { mode: { before: null, after: 'enforce' } }, 'a policy has none');
  t.same(changedFields(null, null), {});
});

t.test('what is too long is left out and said to be, and the rest stays', async (t) => {
  const entries = Array.from({ length: 2000 }, (_, i) => ({ address: `10.0.${i >> 8}.${i & 255}`, description: '' }));
  const fields = changedFields({ kind: 'literal', entries }, { kind: 'file', entries: [], file: 'a' });
  t.same(fields, {
    kind: { before: 'literal', after: 'file' },
    entries: { before: null, after: null, tooLong: true },
    file: { before: null, after: 'a' },
  });
});

t.test('what just fits is kept, and then there is room for nothing more', async (t) => {
  const around = JSON.stringify({ before: null, after: '' }).length;
  const text = 'x'.repeat(16_384 - around);
  t.same(changedFields({ a: null, b: null }, { a: text, b: 'y' }), {
    a: { before: null, after: text },
    b: { before: null, after: null, tooLong: true },
  });
  t.match(changedFields({ a: null }, { a: `${text}x` }), { a: { tooLong: true } });
});

t.test('a field may be called as what every object has', async (t) => {
  t.same(changedFields({ valueOf: {} }, {}), { valueOf: { before: {}, after: null } });
  t.same(changedFields(null, { toString: 1 }), { toString: { before: null, after: 1 } });
});

t.test('no change takes more room than is foreseen, and each is as the API describes it', async (t) => {
  const state = fc.option(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 8 }));
  const property = fc.check(
    fc.property(state, state, (before, after) => {
      const fields = changedFields(before, after);
      if (JSON.stringify(fields).length > 40_000) return false;
      const change = {
        time: '2026-01-01T00:00:00.000Z',
        who: 'a',
        address: null,
        action: 'b',
        kind: 'key',
        target: 'c',
        fields,
      };
      return HistoryChange.safeParse(JSON.parse(JSON.stringify(change))).success;
    }),
  );
  t.equal(property.failed, false, fc.defaultReportMessage(property) ?? '');
});

t.test('equal states have equal texts, and others have not', async (t) => {
  t.equal(textOfState({ a: 1, b: { d: 1, c: [2] } }), textOfState({ b: { c: [2], d: 1 }, a: 1 }));
  t.not(textOfState({ a: [1, 2] }), textOfState({ a: [2, 1] }), 'the order of a list counts');
  t.equal(textOfState(null), 'null');
  t.equal(textOfState({ b: null, a: [null, { d: 1, c: 2 }] }), '{"a":[null,{"c":2,"d":1}],"b":null}');
  t.match(digestOfText('null'), /^[0-9a-f]{32}$/);
  t.not(digestOfText('a'), digestOfText('b'));
});

t.test('what became of it', async (t) => {
  t.equal(actionOf('key', null, {}), 'create_key');
  t.equal(actionOf('policy', {}, {}), 'replace_policy');
  t.equal(actionOf('list', {}, null), 'delete_list');
});
