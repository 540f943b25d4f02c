import t from 'tap';
import { fieldValues, hasField, withoutField } from '../../src/lib/header-list.ts';

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
