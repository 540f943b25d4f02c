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
  t.match(err.at(-1), /wrong\.yaml:1:\d+ error apis must be/);
  t.equal(adminClient({ admin: 'not a url', config: `${folder}/with.yaml` }, io), 2);
  for (const url of ['ftp://x', 'xhttp://x', 'httpx://x', '127.0.0.1:9090'])
    t.equal(adminClient({ admin: url, config: `${folder}/with.yaml` }, io), 2, url);
  const named = adminClient(
    { admin, config: `${folder}/with.yaml` },
    capturedIo({ env: { POSTERN_ADMIN_TOKEN: '' } }).io,
  );
  if (typeof named === 'number') throw new Error('no client');
  t.same(await named('/'), { ok: true, body: 'Bearer the-configured-token-of-it' }, 'an empty token is none');
  t.equal(adminClient({ admin, config: `${folder}/without.yaml` }, io), 1, 'there is no token to show');
  const { io: other } = capturedIo({ env: { POSTERN_ADMIN_TOKEN: 'of-the-environment' } });
  const both = adminClient({ admin: null, config: `${folder}/with.yaml` }, other);
  if (typeof both === 'number') throw new Error('no client');
  t.same(await both('/'), { ok: true, body: 'Bearer of-the-environment' });
});

t.test('whoever listens everywhere is asked here, and an address in brackets where it needs them', async (t) => {
  const port = await freePort();
  for (const [host, where] of Object.entries({
    '0.0.0.0': '127.0.0.1',
    '::': '[::1]',
    '::1': '[::1]',
    '127.0.0.1': '127.0.0.1',
    localhost: 'localhost',
  })) {
    const folder = t.testdir({
      'p.yaml': `${API}admin: { host: "${host}", port: ${port}, token: a-token-of-this-test }\n`,
    });
    const ask = adminClient({ admin: null, config: `${folder}/p.yaml` }, capturedIo().io);
    if (typeof ask === 'number') throw new Error('no client');
    const answer = await ask('/');
    t.match(
      answer.ok ? '' : answer.why,
      new RegExp(`^http://${where.replaceAll(/[[\]]/g, '\\$&')}:${port} cannot`),
      host,
    );
  }
});

t.test('waits for a minute, and says of which faults a certificate is the cause', async (t) => {
  const [fetchBefore, timeoutBefore] = [globalThis.fetch, AbortSignal.timeout];
  t.teardown(() => Object.assign(globalThis, { fetch: fetchBefore }));
  t.teardown(() => Object.assign(AbortSignal, { timeout: timeoutBefore }));
  const waits: number[] = [];
  AbortSignal.timeout = (ms) => (waits.push(ms), timeoutBefore.call(AbortSignal, ms));
  const { io } = capturedIo({ env: { POSTERN_ADMIN_TOKEN: 'the-token' } });
  const ask = adminClient({ admin: 'https://127.0.0.1:9', config: '' }, io);
  if (typeof ask === 'number') throw new Error('no client');
  const whyOf = async (cause: unknown): Promise<string> => {
    globalThis.fetch = () => Promise.reject(Object.assign(new Error('fetch failed'), { cause }));
    const answer = await ask('/');
    return answer.ok ? '' : answer.why;
  };
  for (const [code, cure] of [
    ['CERT_HAS_EXPIRED', 'renew its certificate'],
    ['CERT_NOT_YET_VALID', 'renew its certificate'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'no TLS is spoken there: name it as http:// in --admin'],
    ['UND_ERR_SOCKET', 'where it has `admin.tls`, name it as https:// in --admin'],
  ])
    t.equal(await whyOf({ code }), `https://127.0.0.1:9 cannot be asked: ${code}; ${cure}.`);
  for (const code of ['UNABLE_TO_GET_CRL', 'CRL_SIGNATURE_FAILURE', 'INVALID_CA', 'ERR_TLS_CERT_ALTNAME_INVALID'])
    t.match(await whyOf({ code }), new RegExp(`^https://127\\.0\\.0\\.1:9 cannot be asked: ${code}; name a host`));
  for (const code of ['ECANCELED', 'ECONNRESET', 'NOT_UNABLE_TO_X'])
    t.equal(await whyOf({ code }), `https://127.0.0.1:9 cannot be asked: ${code}.`);
  for (const cause of [undefined, { code: 7 }])
    t.equal(await whyOf(cause), 'https://127.0.0.1:9 cannot be asked: fetch failed.');
  t.same(new Set(waits), new Set([60_000]));
});

t.test('says in a sentence why there is no answer, and never shows the token', async (t) => {
  const admin = await serving(t, (req, res) => {
    if (req.url === '/html') return void res.end('<html>');
    if (req.url === '/moved') return void res.writeHead(302, { location: 'http://127.0.0.1:9/' }).end();
    res
      .writeHead(req.url === '/broken' ? 503 : req.url === '/fault' ? 500 : 409)
      .end(req.url === '/silent' ? '{}' : '{"detail":"Nothing is observed."}');
  });
  const { io } = capturedIo({ env: { POSTERN_ADMIN_TOKEN: 'the-token' } });
  const ask = adminClient({ admin, config: '' }, io);
  if (typeof ask === 'number') throw new Error('no client');
  t.same(await ask('/off'), { ok: false, exit: 1, why: 'Nothing is observed.' });
  for (const path of ['/broken', '/fault'])
    t.same(await ask(path), { ok: false, exit: 70, why: 'Nothing is observed.' });
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
