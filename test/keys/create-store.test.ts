import { join } from 'node:path';
import t from 'tap';
import { createKeyStore } from '../../src/keys/create-store.ts';
import { configFrom } from '../support/passages.ts';

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
