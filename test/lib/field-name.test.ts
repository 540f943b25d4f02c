import t from 'tap';
import { foldFieldName } from '../../src/lib/field-name.ts';

t.test('names that an environment variable cannot tell apart fold to one', async (t) => {
  for (const name of ['X-API-Key', 'x_api_key', 'X.Api.Key', "x~api'key"]) t.equal(foldFieldName(name), 'x-api-key');
  for (const name of ['xapikey', 'x-api-key-', 'x-api-key2']) t.not(foldFieldName(name), 'x-api-key');
});
