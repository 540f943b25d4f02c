import t from 'tap';
import { wholeInQuery } from '../../src/admin/query-values.ts';
import { jsonSchemaOf } from '../../src/config/json-schema.ts';

t.test('a number in a query is whole, within limits, and written in one way', (t) => {
  const schema = wholeInQuery(1, 90);
  for (const text of ['1', '9', '42', '90']) t.equal(schema.safeParse(text).success, true, text);
  for (const text of ['0', '91', '', ' 1', '01', '+1', '-1', '1.0', '1e1', '0x1', 'x', '٣', 7, ['1', '2']])
    t.equal(schema.safeParse(text).success, false, JSON.stringify(text));
  t.same(schema.safeParse('0').error?.issues[0]?.message, 'must be a whole number from 1 to 90');
  t.same(schema.safeParse(['1', '2']).error?.issues[0]?.message, 'must be given once');
  t.match(jsonSchemaOf(schema), { type: 'integer', minimum: 1, maximum: 90 });
  t.end();
});
