import t from 'tap';
import { fieldValues, foldFieldName, hasField, trimOptionalSpace, withoutField } from '../../src/lib/header-list.ts';

const LIST = ['Host', 'a', 'X-Name', 'host', 'HOST', '', 'x', 'y'];

t.test('a field is found by its name in any spelling, and never by a value', async (t) => {
  t.ok(hasField(LIST, 'host'));
  t.ok(hasField(LIST, 'x-name'));
  t.notOk(hasField(LIST, 'a'));
  t.notOk(hasField(LIST, 'y'));
  t.notOk(hasField([], 'host'));
});

t.test('all values are given, in order, empty ones too', async (t) => {
  t.same(fieldValues(LIST, 'host'), ['a', '']);
  t.same(fieldValues(LIST, 'x-name'), ['host']);
  t.same(fieldValues(LIST, 'absent'), []);
});

t.test('a field is left out with its values, every time that it stands there', async (t) => {
  t.same(withoutField(LIST, 'host'), ['X-Name', 'host', 'x', 'y']);
  t.equal(withoutField(LIST, 'absent'), LIST, 'nothing is copied for nothing');
});

t.test('names that an environment variable cannot tell apart fold to one', async (t) => {
  for (const name of ['X-API-Key', 'x_api_key', 'X.Api.Key', "x~api'key"]) t.equal(foldFieldName(name), 'x-api-key');
  t.equal(foldFieldName('X-Key_190'), 'x-key-190');
  for (const name of ['xapikey', 'x-api-key-', 'x-api-key2']) t.not(foldFieldName(name), 'x-api-key');
});

t.test('takes away spaces and tabs at the ends, and nothing else', async (t) => {
  t.equal(trimOptionalSpace(' \t a \t b\t '), 'a \t b');
  t.equal(trimOptionalSpace(' \t '), '');
  t.equal(trimOptionalSpace(''), '');
  for (const kept of ['\u00a0a\u00a0', '\na\r', '\va\f', '\u3000a']) t.equal(trimOptionalSpace(kept), kept);
});
