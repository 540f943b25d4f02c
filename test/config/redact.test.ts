import t from 'tap';
import { redactConfig } from '../../src/config/redact.ts';
import { ConfigSchema } from '../../src/config/schema.ts';

const upstream = 'http://127.0.0.1:9000';
const config = ConfigSchema.parse({
  admin: { token: 'hunter2-admin' },
  apis: {
    integration: { upstream, authorization: 'Bearer hunter2-upstream' },
    metrics: { upstream, authorization: 'pass', token: { secret: ['hunter2'.repeat(5), 'hunter2'.repeat(6)] } },
  },
  keys: { file: '//keys?a=b@c.yaml' },
  redis: { url: 'redis://user:hunter2/x@127.0.0.1:6379/1'.replace('/x', ''), password: 'hunter2' },
});

const shown = redactConfig(config);
t.notMatch(JSON.stringify(shown), /hunter2/);
t.match(shown, {
  admin: { token: '***', port: 9090 },
  apis: {
    integration: { authorization: '***', upstream, preset: 'userflux' },
    metrics: { authorization: 'pass', token: { secret: ['***', '***'], issuer: 'postern' } },
  },
  // No URL, so nothing of it is a secret.
  keys: { file: '//keys?a=b@c.yaml' },
  redis: { url: 'redis://***@127.0.0.1:6379/1', password: '***', username: null },
});
t.equal(config.admin.token, 'hunter2-admin', 'the configuration itself is not touched');

const byPlace = redactConfig(
  ConfigSchema.parse({
    apis: {
      integration: {
        upstream,
        credential: ['bearer', 'query:api_key', 'body:token'],
        authorization: { bearer: 'Bearer hunter2', 'query:api_key': 'hunter2', 'body:token': 'strip' },
      },
    },
  }),
);
t.notMatch(JSON.stringify(byPlace), /hunter2/);
t.match(byPlace, {
  apis: { integration: { authorization: { bearer: '***', 'query:api_key': '***', 'body:token': 'strip' } } },
});
