import t from 'tap';
import { z } from 'zod';
import { fieldsAt, jsonSchemaOf, mayShowSecretAt, schemasAt, takesType } from '../../src/config/json-schema.ts';
import { CONFIG_JSON_SCHEMA as config } from '../../src/config/config-json-schema.ts';
import { keyFileSchema } from '../../src/keys/key-file.ts';

const keys = keyFileSchema();

t.same(fieldsAt(config, ['rateLimit']), ['store']);
t.same(
  fieldsAt(keys, ['keys', 3, 'allowFrom', 0]),
  ['address', 'description', 'list'],
  'through lists and alternatives',
);
t.same(fieldsAt(config, ['nowhere', 'at', 'all']), []);

for (const path of [
  ['admin', 'token'],
  ['apis', 'integration', 'authorization'],
  ['apis', 'metrics', 'token', 'secret'],
  ['apis', 'metrics', 'token', 'secret', 0],
  ['redis', 'password'],
])
  t.equal(mayShowSecretAt(config, path), true, path.join('.'));
for (const path of [['secret'], ['secrets', 0, 'value'], ['secrets', 0, 'hash'], ['apiKey']])
  t.equal(mayShowSecretAt(keys, ['keys', 0, ...path]), true, path.join('.'));
for (const path of [
  ['listen', 'host'],
  ['apis', 'metrics', 'token', 'issuer'],
])
  t.equal(mayShowSecretAt(config, path), false);

t.equal(takesType(schemasAt(config, ['listen', 'port']), 'integer'), true);
t.equal(takesType(schemasAt(config, ['admin', 'token']), 'null'), true);
t.equal(takesType(schemasAt(config, ['listen', 'port']), 'string'), false);
t.same(schemasAt(config, ['redis', 'tls'])[0]?.type, 'boolean');

const changed = z.string().transform((text) => text.toLowerCase());
const { properties = {} } = jsonSchemaOf(
  z.strictObject({
    plain: changed.default('A'),
    filledIn: changed.nullable().default(null).meta({ default: 'told' }),
  }),
);
t.same([properties['plain']?.default, properties['filledIn']?.default], ['A', 'told'], 'defaults of what is changed');
