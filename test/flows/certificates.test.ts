import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SERVER_SECRET, startFlow, written } from '../support/flow.ts';
import { parseAnswer } from '../support/raw-http.ts';
import {
  certbotFolder,
  handshake,
  keyOf,
  mountedSecret,
  shownBy,
  tlsFixture,
  tlsFolder,
  untilShown,
  upstreamTlsFixture,
} from '../support/tls-files.ts';

const read = (file: string) => readFileSync(file);
const TRUSTED = [read(tlsFixture('cert')), read(tlsFixture('renewed'))];

/** A request over TLS, on a connection of its own unless an agent is given. */
function ask(port: number, path: string, options: https.RequestOptions & { readonly session?: Buffer } = {}) {
  return new Promise<{ status: number; text: string; headers: Record<string, unknown> }>((resolve, reject) => {
    const headers = { authorization: `Bearer ${SERVER_SECRET}`, host: 'localhost' };
    const request = {
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: TRUSTED,
      path,
      headers,
      agent: false as const,
    };
    const req = https.request({ ...request, ...options }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (data: string) => (text += data));
      res.on('error', reject).on('end', () => resolve({ status: res.statusCode ?? 0, text, headers: res.headers }));
    });
    req.on('error', reject).end();
  });
}

const seriesOf = async (admin: number, name: string): Promise<string | undefined> =>
  new RegExp(`^${name.replaceAll(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec((await ask(admin, '/metrics')).text)?.[1];

async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 10));
}

t.test('both ports show what their files hold, however the files are renewed', async (t) => {
  const [plain, secret] = [tlsFolder(t), mountedSecret(t)];
  const { postern, backend } = await startFlow(t, { listen: { tls: plain.pair }, admin: { tls: secret.pair } });
  const { port } = postern;
  const admin = postern.sidecar.admin.port;
  const old = await handshake(port);
  t.same([await shownBy(port), await shownBy(admin)], ['cert', 'cert']);

  plain.inPlace('renewed');
  await untilShown(port, 'renewed');
  t.equal(await shownBy(admin), 'cert');
  plain.byRename('cert');
  await untilShown(port, 'cert');
  secret.swap('renewed');
  await untilShown(admin, 'renewed');
  t.match(await ask(admin, '/healthz'), { status: 200 });
  t.ok(postern.lines.some(({ msg, use }) => msg === 'certificate_renewed' && use === 'admin'));

  old.write(written({ fields: ['Connection: close'], body: '{}' }));
  let text = '';
  for await (const data of old) text += String(data);
  t.equal(parseAnswer(text, true).status, 204, 'an open connection went on under the old one');
  t.equal(backend.requests.length, 1);
});

t.test("certbot's links, SIGHUP, and a configuration that is broken meanwhile", async (t) => {
  const live = certbotFolder(t);
  const signing = join(t.testdir({ 'signing.pem': readFileSync(keyOf('cert')) }), 'signing.pem');
  const token = { path: '/token', privateKeyFile: signing };
  const { postern } = await startFlow(t, { listen: { tls: live.pair }, api: { token } });
  live.swap('renewed');
  await untilShown(postern.port, 'renewed');
  writeFileSync(postern.configFile, 'apis: [');
  await until(() => postern.lines.some(({ msg }) => msg === 'config_reload_failed'));
  live.swap('cert');
  await untilShown(postern.port, 'cert');
  live.swap('renewed');
  await postern.sidecar.reload();
  t.equal(await shownBy(postern.port), 'renewed', 'when the reload has ended it is there');
  rmSync(signing);
  live.swap('cert');
  await postern.sidecar.reload();
  t.equal(await shownBy(postern.port), 'cert', 'whatever else is gone');
});

t.test('a pair that cannot be used keeps the old one, and hinders no other change', async (t) => {
  const files = tlsFolder(t);
  const at = files.pair;
  const config = { listen: { tls: at } };
  const { postern, backend } = await startFlow(t, config);
  const { port } = postern;
  const admin = `${postern.adminUrl}/metrics`;
  const metrics = async (): Promise<(string | undefined)[]> => {
    const text = await (await fetch(admin)).text();
    const value = (name: string) => new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
    return [
      value('postern_tls_certificate_last_reload_successful\\{use="listen"\\}'),
      value('postern_tls_certificate_expires_timestamp_seconds\\{use="listen"\\}'),
      value('postern_config_last_reload_successful'),
    ];
  };
  const end = (name: string) => String(Date.parse(name) / 1000);
  t.same(await metrics(), ['1', end('2126-10-31T04:00:52Z'), '1']);
  for (const [cert, key, why] of [
    ['renewed', 'key', /keyFile is not the private key/],
    ['expired', 'expired-key', /expired on 2021/],
    ['cut-short', 'key', /cut short/],
  ] as const) {
    copyFileSync(tlsFixture(cert), at.certFile);
    copyFileSync(tlsFixture(key), at.keyFile);
    await postern.sidecar.reload();
    t.same([await shownBy(port), ...(await metrics())], ['cert', '0', end('2126-10-31T04:00:52Z'), '1'], cert);
    t.match(
      postern.lines.findLast(({ msg }) => msg === 'certificate_kept'),
      { use: 'listen', detail: why },
    );
  }
  const apis = { integration: { upstream: backend.url } };
  postern.writeConfig({ listen: { tls: at, denyFrom: ['127.0.0.1'] }, apis });
  await postern.sidecar.reload();
  t.equal((await ask(port, '/profile/1')).status, 403, 'who is refused from now on does not wait for a certificate');
  postern.writeConfig({ ...config, apis });
  files.inPlace('renewed');
  await postern.sidecar.reload();
  t.same([await shownBy(port), ...(await metrics())], ['renewed', '1', end('2125-01-01T00:00:00Z'), '1']);
  t.equal((await ask(port, '/profile/1')).status, 204);
});

t.test('other files are taken without a restart; plain HTTP is not', async (t) => {
  const files = tlsFolder(t);
  const { postern, backend } = await startFlow(t, { listen: { tls: files.pair }, admin: {} });
  const apis = { integration: { upstream: backend.url } };
  const renewed = { certFile: tlsFixture('renewed'), keyFile: tlsFixture('renewed-key') };
  postern.writeConfig({ listen: { tls: renewed }, apis });
  await postern.sidecar.reload();
  t.equal(await shownBy(postern.port), 'renewed');
  postern.writeConfig({ listen: { tls: { ...renewed, keyFile: tlsFixture('key') } }, apis });
  await postern.sidecar.reload();
  t.equal(await shownBy(postern.port), 'renewed');
  t.equal(await postern.metric('postern_config_last_reload_successful'), 0, 'names of files that never were good');
  postern.writeConfig({ apis });
  await postern.sidecar.reload();
  t.match(
    postern.lines.findLast(({ msg }) => msg === 'config_needs_restart'),
    { fields: ['listen.tls'] },
  );
  t.equal(await shownBy(postern.port), 'renewed');
});

/** Whether a request gets an answer. Under TLS 1.3 a client learns only then that its certificate was refused. */
async function answered(
  t: Test,
  port: number,
  options: https.RequestOptions & { readonly session?: Buffer } = {},
): Promise<number | string> {
  try {
    return (await ask(port, '/profile/1', options)).status;
  } catch (error) {
    t.comment(String(error));
    return 'refused';
  }
}

t.test('with authorities for clients, each must show a certificate that they signed', async (t) => {
  const files = tlsFolder(t);
  copyFileSync(upstreamTlsFixture('client-ca'), files.at('clients.pem'));
  const listen = { tls: { ...files.pair, clientCaFile: files.at('clients.pem') } };
  const { postern, backend } = await startFlow(t, { listen });
  const { port } = postern;
  const good = { cert: read(upstreamTlsFixture('client')), key: read(upstreamTlsFixture('client-key')) };
  const other = { cert: read(tlsFixture('other-client')), key: read(tlsFixture('other-client-key')) };
  const own = { cert: read(tlsFixture('cert')), key: read(tlsFixture('key')) };
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    t.equal(await answered(t, port, { ...good, maxVersion }), 204, maxVersion);
    for (const options of [{}, other, own]) t.equal(await answered(t, port, { ...options, maxVersion }), 'refused');
  }
  t.equal(backend.requests.length, 2);
  const refused = postern.lines.filter(({ msg }) => msg === 'client_certificate_refused');
  t.same(new Set(refused.map(({ peer }) => peer)), new Set(['127.0.0.1']));
  t.ok(refused.some(({ detail }) => detail === 'it showed none'));

  t.test('a session does not outlive the authorities that vouched for it', async (t) => {
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      const before = await handshake(port, { ...good, maxVersion });
      before.resume().write(written({ body: '{}' }));
      await once(before, 'data');
      const session = before.getSession() as Buffer;
      const resumed = await handshake(port, { ...good, session, maxVersion });
      t.equal(resumed.isSessionReused(), false, 'nor is it taken for a certificate while nothing changed');
      copyFileSync(tlsFixture('other-client-ca'), files.at('clients.pem'));
      await postern.sidecar.reload();
      t.equal(await answered(t, port, { ...good, session, maxVersion }), 'refused');
      t.equal(await answered(t, port, { ...other, session, maxVersion }), 204);
      copyFileSync(tlsFixture('cut-short'), files.at('clients.pem'));
      await postern.sidecar.reload();
      t.equal(await answered(t, port, { ...good, maxVersion }), 'refused', 'broken authorities let nobody in');
      t.equal(await answered(t, port, { ...other, maxVersion }), 204);
      copyFileSync(upstreamTlsFixture('client-ca'), files.at('clients.pem'));
      await postern.sidecar.reload();
      for (const socket of [before, resumed]) socket.destroy();
    }
  });
});

t.test('who is refused behind a balancer is the client, and not the balancer', async (t) => {
  const files = tlsFolder(t);
  copyFileSync(upstreamTlsFixture('client-ca'), files.at('clients.pem'));
  const { postern } = await startFlow(t, {
    listen: {
      tls: { ...files.pair, clientCaFile: files.at('clients.pem') },
      proxyProtocol: true,
      trustedProxies: ['127.0.0.1'],
    },
  });
  const below = net.connect(postern.port, '127.0.0.1');
  below.write('PROXY TCP4 203.0.113.7 127.0.0.1 49152 443\r\n');
  tls.connect({ socket: below, servername: 'localhost', ca: TRUSTED }).on('error', () => {});
  await until(() => postern.lines.some(({ msg }) => msg === 'client_certificate_refused'));
  t.match(postern.lines.at(-1), { msg: 'client_certificate_refused', peer: '203.0.113.7', detail: 'it showed none' });
});

t.test('older versions of TLS are not spoken', async (t) => {
  const files = tlsFolder(t);
  const { postern } = await startFlow(t, { listen: { tls: files.pair }, admin: { tls: files.pair } });
  for (const port of [postern.port, postern.sidecar.admin.port]) {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await t.rejects(handshake(port, old), /alert protocol version|unsupported protocol/);
    const socket = await handshake(port, { maxVersion: 'TLSv1.2' });
    t.equal(socket.getProtocol(), 'TLSv1.2');
    socket.destroy();
  }
});

t.test('the admin port over TLS: everything works, the cookie is Secure, and wrong tokens are counted', async (t) => {
  const files = tlsFolder(t);
  const token = 'the-admin-token-of-this-test';
  const { postern } = await startFlow(t, { admin: { tls: files.pair, token } });
  const { port } = postern.sidecar.admin;
  const bearer = (value: string) => ({ headers: { host: `localhost:${port}`, authorization: `Bearer ${value}` } });
  t.equal((await ask(port, '/api/keys', bearer(token))).status, 200);
  const signIn = (value: string, path = '/api/session') =>
    new Promise<{ status: number; cookie: string }>((resolve, reject) => {
      const headers = {
        host: `localhost:${port}`,
        'content-type': 'application/json',
      };
      const options = { port, host: '127.0.0.1', servername: 'localhost', ca: TRUSTED, path, headers };
      const req = https.request({ ...options, method: 'POST', agent: false }, (res) => {
        res
          .resume()
          .on('end', () => resolve({ status: res.statusCode ?? 0, cookie: String(res.headers['set-cookie']) }));
      });
      req.on('error', reject).end(JSON.stringify({ token: value }));
    });
  t.match(await signIn(token), { status: 204, cookie: /; HttpOnly; SameSite=Strict; Secure$/ });
  t.equal(await seriesOf(port, 'postern_admin_sign_in_failures_total'), '0');
  t.equal((await signIn('wrong')).status, 401);
  t.equal((await ask(port, '/api/keys', bearer('wrong'))).status, 401);
  t.equal((await ask(port, '/api/keys', { headers: { host: 'localhost' } })).status, 401);
  t.equal(await seriesOf(port, 'postern_admin_sign_in_failures_total'), '2', 'no token at all is no failure');
  t.equal((await signIn('wrong', '/%61pi/session')).status, 401);
  t.equal(await seriesOf(port, 'postern_admin_sign_in_failures_total'), '3', 'however the path is written');
  await t.rejects(fetch(`http://127.0.0.1:${port}/healthz`), 'plain HTTP is not answered');
});
