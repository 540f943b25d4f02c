import { writeFileSync } from 'node:fs';
import http from 'node:http';
import t from 'tap';
import { stringify } from 'yaml';
import { startBackend } from '../support/backend.ts';
import { SERVER_KEY, SERVER_SECRET } from '../support/flow.ts';
import { portsOf, spawnPostern } from '../support/process.ts';
import { RawClient } from '../support/upstream.ts';

const request = (secret = SERVER_SECRET) => `GET /slow HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${secret}\r\n\r\n`;

t.test('SIGHUP reloads keys and configuration; SIGTERM drains and exits 0', async (t) => {
  const finish: (() => void)[] = [];
  const backend = await startBackend(t, (_req, res) => void finish.push(() => res.writeHead(200).end('finished')));
  const config = {
    apis: { integration: { upstream: backend.url } },
    listen: { host: '127.0.0.1', port: 0, shutdownGraceSeconds: 6 },
  };
  const postern = spawnPostern(t, { config, keys: [SERVER_KEY] });
  const { data, admin } = await portsOf(postern);

  writeFileSync(
    postern.keysFile,
    stringify({ keys: [SERVER_KEY, { ...SERVER_KEY, id: 'new', secret: 'secret-of-the-new-key-here' }] }),
  );
  postern.child.kill('SIGHUP');
  await postern.line(({ msg, keys }) => msg === 'keys_loaded' && keys === 2);
  await postern.line(({ msg }) => msg === 'config_reloaded');

  const arrived = backend.next();
  const underWay = new RawClient(t, data);
  underWay.write(request('secret-of-the-new-key-here'));
  await arrived;
  postern.child.kill('SIGTERM');
  await postern.line(({ msg }) => msg === 'draining');
  t.equal(await status(admin, '/readyz'), 503, 'readiness first');
  t.equal(await status(admin, '/healthz'), 200);
  const late = new RawClient(t, data);
  late.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await late.until('missing_credential');
  t.match(late.text, 'Connection: close', 'still served while balancers learn of it');

  finish.shift()?.();
  await underWay.until('finished');
  t.match(underWay.text, /^HTTP\/1\.1 200[\s\S]*Connection: close/);
  await underWay.closed;
  t.equal(await postern.exit, 0);
  t.match(postern.stdout(), /"msg":"stopped"\}\n$/);
  t.equal(postern.stderr(), '');
});

t.test('SIGINT waits for no balancer, and the grace bounds what is under way', async (t) => {
  const backend = await startBackend(t, () => {});
  const config = {
    apis: { integration: { upstream: backend.url } },
    listen: { host: '127.0.0.1', port: 0, shutdownGraceSeconds: 0.2 },
  };
  const postern = spawnPostern(t, { config, keys: [SERVER_KEY] });
  const { data } = await portsOf(postern);
  const arrived = backend.next();
  const stuck = new RawClient(t, data);
  stuck.write(request());
  await arrived;
  postern.child.kill('SIGINT');
  await stuck.closed;
  t.equal(await postern.exit, 0);
});

function status(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    http.get({ port, path, host: '127.0.0.1' }, (res) => resolve(res.resume().statusCode)).on('error', reject);
  });
}
