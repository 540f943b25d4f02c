import { join } from 'node:path';
import t from 'tap';
import { createKeyStore } from '../../src/keys/create-store.ts';
import { readStoredDefinition } from '../../src/keys/read-definition.ts';
import { eventually } from '../support/eventually.ts';
import { configFrom } from '../support/passages.ts';
import { startRedis } from '../support/redis.ts';
import { definitionOf } from '../support/redis-keys.ts';

t.test('keys are changed where the configuration says that they come from', async (t) => {
  for (const source of ['file', 'redis'] as const) {
    const yaml = `apis: { integration: { upstream: "http://127.0.0.1:9000" } }
keys: { source: ${source} }
redis: { url: "redis://127.0.0.1:1", prefix: "own:" }
`;
    const directory = t.testdir({
      'postern.yaml': yaml,
      'keys.yaml': 'keys:\n  - { id: a, type: write-only, secret: "${SECRET}" }\n',
    });
    const config = configFrom(join(directory, 'postern.yaml'));
    const store = createKeyStore(config, { SECRET: 'the-secret-of-a' }, () => ['integration']);
    t.equal(store.kind, source);
    const listed = await store.list();
    if (source === 'file') t.match(listed, { ok: true, value: [{ id: 'a' }] });
    else t.match(listed, { ok: false, failure: { kind: 'unavailable' } });
    store.close();
  }
});

t.test('a Redis that was demoted is left and looked for again, since it takes no change', async (t) => {
  const server = await startRedis(t);
  const yaml = `apis: { integration: { upstream: "http://127.0.0.1:9000" } }
keys: { source: redis }
redis: { url: "${server.url}" }
`;
  const config = configFrom(join(t.testdir({ 'postern.yaml': yaml }), 'postern.yaml'));
  const store = createKeyStore(config, {}, () => ['integration']);
  t.teardown(() => store.close());
  const connection = async () =>
    /^id=(\d+) .* name=postern-admin /m.exec(String(await server.admin.client('LIST')))?.[1];
  const first = await eventually(connection, 'a connection');
  const stored = readStoredDefinition('a', definitionOf('a'));
  if ('invalid' in stored) throw new Error(stored.invalid);
  const put = () => store.update('a', () => ({ next: stored.definition }));
  await eventually(async () => (await put()).ok, 'the first change');
  await server.admin.replicaof('127.0.0.1', '1');
  t.match(await store.update('a', () => ({ next: null })), { failure: { kind: 'read_only' } });
  await eventually(async () => ![first, undefined].includes(await connection()), 'another connection');
});
