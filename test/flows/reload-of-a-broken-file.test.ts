import { rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { SERVER_KEY, startFlow, written } from '../support/flow.ts';

const SUCCESSFUL = 'postern_config_last_reload_successful';

t.test('a key file that is broken, emptied, cut off or gone changes nothing, and says so', async (t) => {
  const { raw, postern } = await startFlow(t, { keys: [SERVER_KEY] });
  t.equal(await postern.metric(SUCCESSFUL), 1);
  const whole = `keys:\n  - { id: server, type: read-write, secret: ${SERVER_KEY.secret} }\n`;
  const damages: readonly (readonly [string, () => void])[] = [
    ['no YAML', () => writeFileSync(postern.keysFile, 'keys: [')],
    ['a mistake', () => writeFileSync(postern.keysFile, `${whole}  - { id: A }\n`)],
    ['emptied', () => writeFileSync(postern.keysFile, '')],
    ['no keys', () => writeFileSync(postern.keysFile, 'keys:\n')],
    ['cut off', () => writeFileSync(postern.keysFile, whole.slice(0, 40))],
    ['gone', () => rmSync(postern.keysFile)],
  ];
  for (const [name, damage] of damages) {
    damage();
    const from = postern.lines.length;
    await postern.sidecar.reload();
    t.match(
      postern.lines.slice(from).find(({ msg }) => msg === 'key_problem'),
      { level: 'error', detail: /keys\.yaml:\d+:\d+ error / },
      name,
    );
    t.equal(await postern.metric(SUCCESSFUL), 0, name);
    t.equal(await postern.metric('postern_key_source_up'), 0, name);
    t.equal((await raw(written({ body: '{}' }))).status, 204, name);
    t.equal((await fetch(`${postern.adminUrl}/readyz`)).status, 200);
  }
  writeFileSync(postern.keysFile, whole);
  await postern.sidecar.reload();
  t.equal(await postern.metric(SUCCESSFUL), 1);
  t.notMatch(postern.logText(), SERVER_KEY.secret);
});

t.test('so does a configuration', async (t) => {
  const { raw, postern, backend } = await startFlow(t);
  const files = [
    '',
    'apis: {',
    'apis: {}\n',
    `apis: { integration: { upstream: "${backend.url}", timeuotSeconds: 1 } }\n`,
    `apis: { integration: { upstream: "${backend.url}", tls: { caFile: nowhere.pem } } }\n`,
  ];
  for (const text of files) {
    writeFileSync(postern.configFile, text);
    const from = postern.lines.length;
    await postern.sidecar.reload();
    const lines = postern.lines.slice(from);
    t.match(
      lines.find(({ msg }) => msg === 'config_problem'),
      { detail: /postern\.yaml:\d+:\d+ error / },
      text,
    );
    t.ok(lines.some(({ msg }) => msg === 'config_reload_failed'));
    t.equal(await postern.metric(SUCCESSFUL), 0);
    t.equal((await raw(written({ body: '{}' }))).status, 204);
  }
  postern.writeConfig({ apis: { integration: { upstream: backend.url } } });
  await postern.sidecar.reload();
  t.equal(await postern.metric(SUCCESSFUL), 1);
});

t.test('fields that wait for a restart are named', async (t) => {
  const { raw, postern, backend } = await startFlow(t);
  postern.writeConfig({
    apis: { integration: { upstream: backend.url, authorization: 'pass' } },
    listen: { trustedProxies: ['127.0.0.1'], requestTimeoutSeconds: 20 },
    admin: { hosts: ['console.example.com'] },
  });
  await postern.sidecar.reload();
  t.match(
    postern.lines.find(({ msg }) => msg === 'config_needs_restart'),
    {
      level: 'warn',
      fields: ['listen.trustedProxies', 'listen.requestTimeoutSeconds', 'admin.hosts'],
    },
  );
  await raw(written({ fields: ['X-Forwarded-For: 192.0.2.1'], body: '{}' }));
  t.match(backend.requests[0]?.headers, { 'x-forwarded-for': '127.0.0.1', authorization: /^Bearer / });
  t.equal(await postern.metric(SUCCESSFUL), 1, 'the rest is in effect');
});
