import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { adminClient } from '../../src/commands/admin-client.ts';
import { capturedIo } from '../support/command-io.ts';
import { keyOf, tlsFixture } from '../support/tls-files.ts';
import { freePort } from '../support/free-port.ts';

const API = 'apis: { integration: { upstream: "http://127.0.0.1:9" } }\n';

async function serving(t: Test, listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.on('listening', resolve));
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('asks with the token, which is from the environment', async (t) => {
  const seen: (string | undefined)[] = [];
  const admin = await serving(t, (req, res) => {
    seen.push(`${req.url} ${req.headers.authorization}`);
    res.end('{"a":1}');
  });
  const { io } = capturedIo({ env: { POSTERN_ADMIN_TOKEN: 'the-token' } });
  const ask = adminClient({ admin, config: 'missing.yaml' }, io);
  if (typeof ask === 'number') throw new Error('no client');
  t.same(await ask('/api/keys'), { ok: true, body: { a: 1 } });
  t.same(seen, ['/api/keys Bearer the-token']);
});

t.test('finds the port and the token in the configuration', async (t) => {
  const admin = await serving(t, (req, res) => void res.end(JSON.stringify(req.headers.authorization)));
  const { port } = new URL(admin);
  const folder = t.testdir({
    'with.yaml': `${API}admin: { host: 0.0.0.0, port: ${port}, token: the-configured-token-of-it }\n`,
    'without.yaml': API,
    'wrong.yaml': 'apis: 1\n',
  });
  const { io, err } = capturedIo();
  const ask = adminClient({ admin: null, config: `${folder}/with.yaml` }, io);
  if (typeof ask === 'number') throw new Error('no client');
  t.same(await ask('/'), { ok: true, body: 'Bearer the-configured-token-of-it' });
  t.equal(adminClient({ admin: null, config: `${folder}/without.yaml` }, io), 1);
  t.match(err.join('\n'), /there is no admin.token; set POSTERN_ADMIN_TOKEN/);
  t.equal(adminClient({ admin: null, config: `${folder}/wrong.yaml` }, io), 1);
  t.equal(adminClient({ admin: 'not a url', config: `${folder}/with.yaml` }, io), 2);
  t.equal(adminClient({ admin: 'ftp://x', config: `${folder}/with.yaml` }, io), 2);
});

t.test('says in a sentence why there is no answer, and never shows the token', async (t) => {
  const admin = await serving(t, (req, res) => {
    if (req.url === '/html') return void res.end('<html>');
    if (req.url === '/moved') return void res.writeHead(302, { location: 'http://127.0.0.1:9/' }).end();
    res
      .writeHead(req.url === '/broken' ? 503 : 409)
      .end(req.url === '/silent' ? '{}' : '{"detail":"Nothing is observed."}');
  });
  const { io } = capturedIo({ env: { POSTERN_ADMIN_TOKEN: 'the-token' } });
  const ask = adminClient({ admin, config: '' }, io);
  if (typeof ask === 'number') throw new Error('no client');
  t.same(await ask('/off'), { ok: false, exit: 1, why: 'Nothing is observed.' });
  t.same(await ask('/broken'), { ok: false, exit: 70, why: 'Nothing is observed.' });
  t.same(await ask('/silent'), { ok: false, exit: 1, why: 'it answered 409' });
  t.equal((await ask('/html')).ok, false);
  const moved = await ask('/moved');
  t.match(moved.ok ? '' : moved.why, /cannot be asked/);
  t.notOk(JSON.stringify(moved).includes('the-token'));
  const closed = `http://127.0.0.1:${await freePort()}`;
  const nobody = adminClient({ admin: closed, config: '' }, io);
  if (typeof nobody === 'number') throw new Error('no client');
  const none = await nobody('/');
  t.same(none, { ok: false, exit: 70, why: `${closed} cannot be asked: ECONNREFUSED.` });
});

t.test(
  'over TLS: by the configuration, trusting whom Node trusts, and saying what to do when that is nobody',
  async (t) => {
    const server = https.createServer({ cert: readFileSync(tlsFixture('cert')), key: readFileSync(keyOf('cert')) });
    server.on('request', (_req, res: http.ServerResponse) => void res.end('1')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.on('listening', resolve));
    t.teardown(() => server.close());
    const { port } = server.address() as AddressInfo;
    const tls = `{ certFile: ${tlsFixture('cert')}, keyFile: ${keyOf('cert')} }`;
    const config = `${t.testdir({ 'p.yaml': `${API}admin: { port: ${port}, tls: ${tls}, token: the-configured-token }\n` })}/p.yaml`;
    const { io } = capturedIo();
    const ask = adminClient({ admin: null, config }, io);
    if (typeof ask === 'number') throw new Error('no client');
    const answer = await ask('/api/keys');
    t.match(answer, {
      ok: false,
      exit: 70,
      why: /^https:\/\/127\.0\.0\.1:\d+ cannot be asked: \w*SELF_SIGNED_CERT\w*; name a host of its certificate in --admin, and .* NODE_EXTRA_CA_CERTS\.$/,
    });
    const run = promisify(execFile);
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: tlsFixture('cert') };
    const { stdout } = await run(process.execPath, ['.build/src/main.js', 'cache', 'purge', '--config', config], {
      env,
    });
    t.equal(stdout, 'The cache is empty.\n');
  },
);
