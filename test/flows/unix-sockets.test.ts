/** Postern on a Unix socket, and before one. */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import net, { type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import { KEPT } from '../support/backend.ts';
import { codeOf, startFlow, written } from '../support/flow.ts';
import { startPostern } from '../support/postern.ts';
import { v2Header } from '../support/proxy-header.ts';

const OFFICE = { id: 'office', type: 'read-write', secret: 'secret-of-the-office', allowFrom: ['203.0.113.7'] };
const ANYWHERE = { id: 'anywhere', type: 'read-write', secret: 'secret-of-anywhere', allowFrom: 'anywhere' };
const TLS = { certFile: resolve('test/fixtures/tls/cert.pem'), keyFile: resolve('test/fixtures/tls/key.pem') };

function newSocket(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-flow-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'postern.sock');
}

/** A Postern on a socket, and one request to it with what comes before it on the wire. */
async function onSocket(t: Test, listen: object) {
  const path = newSocket(t);
  const flow = await startFlow(t, { keys: [OFFICE, ANYWHERE], listen: { path, ...listen } });
  const ask = async (secret: string, fields: readonly string[] = [], header: Buffer = Buffer.alloc(0)) => {
    const socket: Socket = net.connect(path);
    t.teardown(() => socket.destroy());
    socket.write(header);
    const stream = 'tls' in listen ? connectTls({ socket, rejectUnauthorized: false }) : socket;
    stream.on('error', () => undefined);
    stream.write(written({ secret, fields: ['Connection: close', ...fields], body: '{}' }));
    const answer = await text(stream).catch(() => '');
    return { status: Number(answer.slice(9, 12)), code: codeOf({ body: answer.split('\r\n\r\n')[1] ?? '' }), answer };
  };
  return { ...flow, path, ask };
}

t.test('a request over the socket: its peer has no address, whatever it says', async (t) => {
  const { path, postern, ask, backend } = await onSocket(t, {});
  t.equal(postern.sidecar.data, path);
  t.equal(statSync(path).mode & 0o777, 0o660);
  t.equal((await ask(ANYWHERE.secret, ['X-Forwarded-For: 203.0.113.7'])).status, 204);
  t.equal(backend.requests.at(-1)?.headers['x-forwarded-for'], 'unknown');
  t.equal((await ask(OFFICE.secret, ['X-Forwarded-For: 203.0.113.7'])).code, 'ip_not_allowed');
  t.match(postern.lines.at(-1), { clientIp: 'unknown', keyId: 'office' });
  // One connection, many requests.
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  for (let i = 0; i < 3; i += 1) {
    const status = await new Promise((resolve) => {
      const headers = { authorization: `Bearer ${ANYWHERE.secret}`, host: 'api.test' };
      http.get({ socketPath: path, path: '/x', agent, headers }, (res) => resolve(res.resume().statusCode));
    });
    t.equal(status, 204);
  }
  await postern.sidecar.drain({ announceMs: 0, graceMs: 0 });
  t.notOk(existsSync(path), 'it is gone with Postern');
});

t.test('a trusted peer on the socket names the client by X-Forwarded-For', async (t) => {
  const { ask, backend } = await onSocket(t, { trustedProxies: ['unix', '10.0.0.0/8'] });
  t.equal((await ask(OFFICE.secret, ['X-Forwarded-For: 192.0.2.66, 203.0.113.7, 10.0.0.9'])).status, 204);
  t.equal(backend.requests.at(-1)?.headers['x-forwarded-for'], '203.0.113.7, 10.0.0.9');
  t.equal((await ask(OFFICE.secret, ['X-Forwarded-For: 203.0.113.7, 192.0.2.66'])).code, 'ip_not_allowed');
  t.equal((await ask(OFFICE.secret)).code, 'ip_not_allowed', 'it is no client itself');
});

const V1 = Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 49152 80\r\n');
const V2 = v2Header(0x21, 0x11, [203, 0, 113, 7, 192, 0, 2, 1, 0xc0, 0, 0, 80]);
const FORGED = ['X-Forwarded-For: 203.0.113.7'];

for (const tls of [null, TLS])
  t.test(`the PROXY protocol over the socket${tls === null ? '' : ', before TLS'}`, async (t) => {
    const listen = { proxyProtocol: true, trustedProxies: ['unix'], ...(tls !== null && { tls }) };
    const { ask, backend, postern } = await onSocket(t, listen);
    for (const header of [V1, V2]) {
      t.equal((await ask(OFFICE.secret, [], header)).status, 204);
      t.equal(backend.requests.at(-1)?.headers['x-forwarded-for'], '203.0.113.7');
    }
    const other = Buffer.from('PROXY TCP4 192.0.2.66 192.0.2.1 49152 80\r\n');
    t.equal((await ask(OFFICE.secret, FORGED, other)).code, 'ip_not_allowed', 'whom it names is believed in nothing');
    for (const header of [Buffer.from('PROXY UNKNOWN\r\n'), v2Header(0x21, 0x31, Array<number>(216).fill(0))])
      t.equal((await ask(OFFICE.secret, FORGED, header)).code, 'ip_not_allowed', 'nobody is the proxy itself');
    const local = v2Header(0x20, 0x00, []);
    t.equal((await ask(OFFICE.secret, FORGED, local)).status, 204, 'LOCAL is the proxy, which is believed');
    t.equal((await ask(ANYWHERE.secret)).answer, '', 'without a header nothing is answered');
    t.match(postern.lines.at(-1), { msg: 'proxy_header_refused', peer: 'unknown' });
    // Many at once, each with its own address: none is mistaken for another.
    const both = Array.from({ length: 20 }, (_, i) => ask(OFFICE.secret, [], i % 2 === 0 ? V1 : other));
    for (const [i, answer] of (await Promise.all(both)).entries()) t.equal(answer.status, i % 2 === 0 ? 204 : 403);
  });

t.test('TLS over the socket without the PROXY protocol: the peer is the one on the socket', async (t) => {
  const { ask } = await onSocket(t, { tls: TLS, trustedProxies: ['unix'] });
  t.equal((await ask(OFFICE.secret, FORGED)).status, 204);
});

t.test('a backend behind a socket, and one that is not there', async (t) => {
  const path = newSocket(t);
  const asked: (string | undefined)[] = [];
  const backend = http.createServer(KEPT, (req, res) => {
    asked.push(req.headers.host);
    req.resume().on('end', () => res.end('hi'));
  });
  await new Promise<void>((resolve) => backend.listen(path, resolve));
  t.teardown(() => {
    backend.close();
    backend.closeAllConnections();
  });
  const api = (settings: object) => ({ integration: { upstream: `unix:${path}`, ...settings } });
  const postern = await startPostern(t, { config: { apis: api({}) }, keys: [ANYWHERE] });
  const ask = () => fetch(`${postern.url}/x`, { headers: { authorization: `Bearer ${ANYWHERE.secret}` } });
  t.equal(await (await ask()).text(), 'hi');
  postern.writeConfig({ apis: api({ preserveHost: true }) });
  await postern.sidecar.reload();
  t.equal(await (await ask()).text(), 'hi');
  t.same(asked, ['localhost', `127.0.0.1:${postern.port}`]);
  postern.writeConfig({ apis: api({ upstream: `unix:${path}.none` }) });
  await postern.sidecar.reload();
  t.equal((await ask()).status, 502);
  // The watcher of the file may find it changed, and say so, at any time.
  const failed = postern.lines.find(({ msg }) => msg === 'upstream_failed');
  t.match(failed, { detail: `connect ENOENT ${path}.none` });
});
