import { join } from 'node:path';
import t from 'tap';
import { createKeySource } from '../../src/keys/create-source.ts';
import type { KeySnapshot } from '../../src/keys/key.ts';
import { parseAddress } from '../../src/lib/address.ts';
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

t.test('a key file may name the configured APIs, and lists in files beside it', async (t) => {
  const key = (apis: string) =>
    `keys:\n  - { id: a, type: write-only, secret: "\${SECRET}", apis: [${apis}], denyFrom: [{ list: bad }] }\n`;
  const directory = t.testdir({
    'postern.yaml': 'apis: { orders: { upstream: "http://127.0.0.1:9000" } }\nkeys: { file: more/keys.yaml }\n',
    more: { 'keys.yaml': `${key('orders')}addressLists: { bad: { file: bad.txt } }\n`, 'bad.txt': '192.0.2.1\n' },
  });
  const config = configFrom(join(directory, 'postern.yaml'));
  const started = async (apis?: () => readonly string[]) => {
    const source = createKeySource(config, { env: { SECRET: 'the-secret-of-a' }, now: () => 7, ...(apis && { apis }) });
    t.teardown(() => source.close());
    const snapshots: KeySnapshot[] = [];
    await source.start({ onKeys: (snapshot) => snapshots.push(snapshot), onProblem: () => undefined });
    return { snapshots, source };
  };
  const { snapshots, source } = await started();
  t.match(source.status(), { up: true, lastSyncAt: 7 });
  t.equal(snapshots.at(-1)?.lists.get('bad')?.has(parseAddress('192.0.2.1')), true);
  t.match((await started(() => ['others'])).source.status(), { up: false, why: /apis\[0\] is the name of no API/ });
});
