import t from 'tap';
import { FIELD_TYPES } from '../../src/keys/definition.ts';
import { KEY_TYPES } from '../../src/keys/key-fields.ts';
import { typeFindings } from '../../src/keys/type-rules.ts';

const messages = (...asked: Parameters<typeof typeFindings>): string[] =>
  typeFindings(...asked).map(({ path, message }) => `${path.join('.')} ${message}`);

t.test('a field is for some types of keys, and null is none', async (t) => {
  for (const [field, types] of Object.entries(FIELD_TYPES))
    for (const type of KEY_TYPES) {
      const [found, ...others] = messages(type, { [field]: [] });
      t.same(others, []);
      t.equal(found?.startsWith(`${field} is only for `) ?? false, !types.includes(type), `${field} of ${type}`);
      t.same(messages(type, { [field]: null }), []);
    }
  t.same(messages(undefined, { apiKey: 'x', allowedEvents: 'all' }), []);
  t.same(messages('read-write', { apiKey: 'x' }), ['apiKey is only for metrics keys; remove it']);
  t.same(messages('write-only', { allowBrowsers: false }), [], 'what every key says that says every field');
  t.equal(messages('write-only', { allowBrowsers: true }).length, 1);
});

t.test('a metrics key is for the metrics API alone, and by tokens alone', async (t) => {
  for (const apis of [undefined, null, 'all', ['metrics']]) t.same(messages('metrics', { apis }), [], String(apis));
  const wrongApi = ['apis must be [metrics], or be left out: the key is a metrics key'];
  for (const apis of [[], ['orders'], ['metrics', 'orders'], 'metrics'])
    t.same(messages('metrics', { apis }), wrongApi, String(apis));
  for (const accessToken of [undefined, null, 'required']) t.same(messages('metrics', { accessToken }), []);
  const wrongUse = ['accessToken must be required, or be left out: the key is a metrics key'];
  for (const accessToken of ['allowed', 'never']) t.same(messages('metrics', { accessToken }), wrongUse);
  t.same(messages('read-only', { apis: ['orders'], accessToken: 'never' }), []);
});
