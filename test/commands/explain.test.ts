import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runExplain, type ExplainArguments } from '../../src/commands/explain.ts';
import { capturedIo } from '../support/command-io.ts';
import { freePort } from '../support/free-port.ts';

const SECRET = 'secret-of-the-server-key';
const QUESTION = {
  key: SECRET,
  keyId: null,
  ip: '203.0.113.7',
  method: 'GET',
  path: '/profile/u1',
  events: [],
  origin: null,
  host: null,
  json: false,
};

async function explain(t: Test, change: Partial<ExplainArguments> = {}, stdin = '') {
  const folder = t.testdir({
    'postern.yaml':
      'apis: { integration: { upstream: "http://127.0.0.1:9000", hosts: [api.test] }, metrics: { upstream: "http://127.0.0.1:9001" } }\n',
    'keys.yaml': `keys:
  - { id: server, type: read-write, secret: ${SECRET}, allowFrom: [203.0.113.7] }
  - { id: watched, type: read-write, secret: secret-of-a-watched-key, allowFrom: [], mode: report }
  - { id: limited, type: write-only, secret: secret-of-a-limited-key, allowedEvents: [login] }
  - { id: dash, type: metrics, apiKey: api-key-of-the-dashboard, secret: secret-of-the-dashboard }
`,
  });
  const { io, out, err } = capturedIo({ stdin });
  const code = await runExplain({ config: join(folder, 'postern.yaml'), ...QUESTION, ...change }, io);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

t.test('a line a step, then the end', async (t) => {
  const { code, out } = await explain(t);
  t.equal(code, 0);
  const lines = out.split('\n');
  t.match(lines[0], /^request form {2,}ok {2,}\S/);
  t.match(out, /^credential +ok +secret \w+ of key server \(read-write\)$/m);
  t.match(out, /^client address +ok +203\.0\.113\.7 may use key server \(allowFrom of key server: 203\.0\.113\.7\)$/m);
  t.equal(lines.at(-1), 'allowed (client address 203.0.113.7)');
  t.notMatch(out, SECRET);
});

t.test('how many events would be removed', async (t) => {
  const batch = { key: null, keyId: 'limited', method: 'POST', path: '/event/ingest/batch' };
  const endOf = async (events: readonly string[]) => (await explain(t, { ...batch, events })).out.split('\n').at(-1);
  t.equal(await endOf(['login']), 'allowed (client address 203.0.113.7)');
  t.equal(await endOf(['login', 'a']), 'allowed, 1 event removed (client address 203.0.113.7)');
  t.equal(await endOf(['login', 'a', 'b']), 'allowed, 2 events removed (client address 203.0.113.7)');
});

t.test('a refusal: exit 3, its step marked, the rest not reached', async (t) => {
  const { code, out } = await explain(t, { ip: '::ffff:203.0.113.8' });
  t.equal(code, 3);
  t.match(
    out,
    /^client address +REFUSED +ip_not_allowed: 203\.0\.113\.8 is not on the allow-list of key server \(allowFrom of key server\)$/m,
  );
  t.match(out, /^scope +-$/m);
  t.match(out, /^refused: 403 ip_not_allowed \(client address 203\.0\.113\.8\)$/m);
});

t.test('what a key has from its policy is said to be so', async (t) => {
  const folder = t.testdir({
    'postern.yaml': 'apis: { shop: { upstream: "http://127.0.0.1:9000" } }\n',
    'keys.yaml': `keys:
  - { id: acme, policy: partners, secret: "\${ACME}" }
  - { id: globex, policy: partners, secret: "\${GLOBEX}", allowFrom: [203.0.113.8] }
policies:
  partners: { type: read-only, allowFrom: [203.0.113.7], allowedRoutes: [GET /orders] }
`,
  });
  const ruleOf = async (keyId: string, ip: string, step: string): Promise<unknown> => {
    const { io, out } = capturedIo({
      env: { ACME: 'secret-of-acme-secret-of-acme', GLOBEX: 'secret-of-globex-globex' },
    });
    await runExplain({ config: join(folder, 'postern.yaml'), ...QUESTION, key: null, keyId, ip, json: true }, io);
    const { steps } = JSON.parse(out.join('\n')) as { steps: { step: string; rule: string | null }[] };
    return steps.find((one) => one.step === step)?.rule;
  };
  t.equal(await ruleOf('acme', '203.0.113.8', 'client address'), 'allowFrom of key acme (policy partners)');
  t.equal(
    await ruleOf('acme', '203.0.113.7', 'client address'),
    'allowFrom of key acme (policy partners): 203.0.113.7',
  );
  t.equal(await ruleOf('acme', '203.0.113.7', 'scope'), 'allowedRoutes of key acme (policy partners)');
  t.equal(await ruleOf('globex', '203.0.113.7', 'client address'), 'allowFrom of key globex', 'its own');
  t.equal(await ruleOf('globex', '203.0.113.8', 'scope'), 'allowedRoutes of key globex (policy partners)');
});

t.test('report mode allows, and says what it would have refused', async (t) => {
  t.match(await explain(t, { key: 'secret-of-a-watched-key' }), {
    code: 0,
    out: /^client address +WOULD REJECT +ip_not_allowed/m,
  });
});

t.test('as JSON', async (t) => {
  const { out } = await explain(t, { json: true, key: 'no-such-secret-anywhere' });
  const { steps, ...told } = JSON.parse(out) as { steps: { step: string; verdict: string }[] };
  t.match(told, { outcome: 'refused', status: 401, code: 'invalid_credential', keyId: null });
  t.equal(steps.find(({ step }) => step === 'credential')?.verdict, 'refused');
});

t.test('a credential of the other API is unknown, on either side', async (t) => {
  t.match(await explain(t, { key: 'secret-of-the-dashboard' }), { code: 3, out: /is not for the API integration/ });
  t.match(await explain(t, { path: '/metrics/query/1' }), { code: 3, out: /is not for the API metrics/ });
  t.match(await explain(t, { key: 'secret-of-the-dashboard', path: '/metrics/query/1' }), { code: 0 });
});

t.test('an address that is none is a usage error', async (t) => {
  for (const ip of ['x', '203.0.113', '203.0.113.7:80', '203.0.113.7/32', ''])
    t.match(await explain(t, { ip }), { code: 2, out: '', err: /^--ip/ }, ip);
});

t.test('whose request it is may be said by an id, on standard input, or not at all', async (t) => {
  t.match(await explain(t, { key: null, keyId: 'server' }), { code: 0, out: /secret \w+ of key server/ });
  t.match(await explain(t, { key: null, keyId: 'nobody' }), { code: 3, out: /no key in use has the id "nobody"/ });
  t.match(await explain(t, { key: null }), { code: 3, out: /^refused: 401 missing_credential/m });
  t.match(await explain(t, { keyId: 'server' }), { code: 2, out: '', err: /^--key and --key-id are two ways/ });
  t.match(await explain(t, { key: '-' }, `${SECRET}\n`), { code: 0, out: /secret \w+ of key server/ });
  t.match(await explain(t, { key: '-' }), { code: 3, out: /^refused: 401/m });
});

t.test('the Host decides', async (t) => {
  t.match(await explain(t, { host: 'API.test:8080' }), { code: 0 });
  t.match(await explain(t, { host: 'other.test' }), { code: 3, out: /^refused: 404 no_route/m });
});

t.test('the route and the rule that decided are named', async (t) => {
  const { out } = await explain(t, { json: true });
  t.match(
    (JSON.parse(out) as { steps: { step: string; rule: string | null }[] }).steps
      .filter(({ rule }) => rule !== null)
      .map(({ step, rule }) => [step, rule]),
    [
      ['route', 'route GET /profile/:userId'],
      ['client address', 'allowFrom of key server: 203.0.113.7'],
    ],
  );
});

t.test('what keeps the rules or the keys from being read is said, and nothing is explained', async (t) => {
  const port = await freePort();
  const folder = t.testdir({
    'wrong.yaml': 'apis: { shop: { upstream: "http://127.0.0.1:9000", unlisted: maybe } }\n',
    'right.yaml': 'apis: { shop: { upstream: "http://127.0.0.1:9000" } }\n',
    'redis.yaml': `apis: { shop: { upstream: "http://127.0.0.1:9000" } }\nkeys: { source: redis }\nredis: { url: "redis://127.0.0.1:${port}" }\n`,
  });
  const ask = async (name: string) => {
    const { io, out, err } = capturedIo();
    return { code: await runExplain({ ...QUESTION, config: join(folder, name) }, io), out, err: err.join('\n') };
  };
  t.match(await ask('wrong.yaml'), { code: 1, out: [], err: /wrong\.yaml:1:\d+ error apis\.shop\.unlisted must be/ });
  t.match(await ask('none.yaml'), { code: 1, out: [], err: /none\.yaml:1:1 error The file cannot be read/ });
  t.match(await ask('right.yaml'), { code: 1, out: [], err: /keys\.yaml:1:1 error The file cannot be read/ });
  writeFileSync(join(folder, 'keys.yaml'), 'keys: [{ id: A }]\n');
  t.match(await ask('right.yaml'), { code: 1, out: [], err: /keys\.yaml:1:\d+ error keys\[0\]/ });
  t.match(await ask('redis.yaml'), { code: 70, out: [], err: /ECONNREFUSED/ });
});
