import { join } from 'node:path';
import t from 'tap';
import { createKeySource } from '../../src/keys/create-source.ts';
import { configFrom } from '../support/passages.ts';

t.test('keys come from where the configuration says, and nothing is read before the start', async (t) => {
  for (const source of ['file', 'redis'] as const) {
    const yaml = `apis: { integration: { upstream: "http://127.0.0.1:9000" } }\nkeys: { source: ${source} }\n`;
    const config = configFrom(join(t.testdir({ 'postern.yaml': yaml }), 'postern.yaml'));
    const created = createKeySource(config, { env: {}, now: Date.now });
    t.equal(created.kind, source);
    t.match(created.status(), { up: false, loaded: false });
    await created.close();
  }
});
