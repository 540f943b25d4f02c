import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { SERVER_KEY, startFlow, WEB_KEY, written } from '../support/flow.ts';
import type { Postern } from '../support/postern.ts';

const NEW_KEY = { id: 'new', type: 'read-write', secret: 'secret-of-the-new-key-here' };

/** Waits for a log line from the `from`th on; a reload that does not come lets the test time out. */
async function lineFrom(postern: Postern, from: number, msg: string): Promise<void> {
  while (!postern.lines.slice(from).some((line) => line['msg'] === msg)) await new Promise((r) => setTimeout(r, 10));
}

t.test('a changed key file is live, and the old secret is dead', async (t) => {
  const { raw, postern } = await startFlow(t);
  const send = (secret: string) => raw(written({ secret, body: '{}' }));
  t.equal((await send(NEW_KEY.secret)).status, 401);
  const from = postern.lines.length;
  postern.writeKeys([NEW_KEY]);
  await lineFrom(postern, from, 'keys_loaded');
  t.equal((await send(NEW_KEY.secret)).status, 204);
  t.equal((await send(SERVER_KEY.secret)).status, 401);
});

t.test('a changed configuration is live: another backend, other routes and limits', async (t) => {
  const { raw, postern, backend } = await startFlow(t);
  const other = await startFlow(t);
  t.equal((await raw(written({ body: ' '.repeat(200) }))).status, 204);
  const from = postern.lines.length;
  const routes = [{ method: 'POST', path: '/event/ingest', rewrite: '/v2/ingest' }];
  postern.writeConfig({ apis: { integration: { upstream: other.backend.url, maxBodyBytes: 100, routes } } });
  await lineFrom(postern, from, 'config_reloaded');
  t.equal((await raw(written({ body: ' '.repeat(200) }))).status, 413);
  t.equal((await raw(written({ body: '{}' }))).status, 204);
  t.equal(backend.requests.length, 1);
  t.equal(other.backend.requests[0]?.url, '/v2/ingest');
});

t.test('what is logged changes with the configuration', async (t) => {
  const { raw, postern, backend } = await startFlow(t, { log: { requests: 'none' } });
  await raw(written({ secret: null }));
  t.notMatch(postern.logText(), '"rejected"');
  for (const [requests, msg] of [
    ['rejections', 'rejected'],
    ['all', 'request'],
  ] as const) {
    postern.writeConfig({ apis: { integration: { upstream: backend.url } }, log: { requests } });
    await postern.sidecar.reload();
    const from = postern.lines.length;
    await raw(written(requests === 'all' ? { body: '{}' } : { secret: null }));
    t.equal(postern.lines.slice(from).filter((line) => line['msg'] === msg).length, 1);
  }
  postern.writeConfig({ apis: { integration: { upstream: backend.url } }, log: { requests: 'all', sample: 0 } });
  await postern.sidecar.reload();
  const unsampled = postern.lines.length;
  await raw(written({ body: '{}' }));
  await raw(written({ secret: null }));
  t.same(
    // The watcher of the file may say at any time that it changed.
    postern.lines.slice(unsampled).flatMap(({ msg }) => (msg === 'rejected' || msg === 'request' ? [msg] : [])),
    ['rejected'],
  );
  postern.writeConfig({ apis: { integration: { upstream: backend.url } }, log: { level: 'error' } });
  await postern.sidecar.reload();
  const before = postern.logText();
  await raw(written({ secret: null }));
  t.equal(postern.logText(), before);
});

t.test('a ConfigMap is swapped by a symlink, again and again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'configmap-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const publish = (version: string, keys: readonly unknown[]): void => {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'keys.yaml'), JSON.stringify({ keys }));
    symlinkSync(version, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  publish('..v1', [SERVER_KEY]);
  symlinkSync(join('..data', 'keys.yaml'), join(folder, 'keys.yaml'));
  const { backend } = await startFlow(t);
  const { startPostern } = await import('../support/postern.ts');
  const mounted = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } }, keys: { file: join(folder, 'keys.yaml') } },
    keys: [],
  });
  const status = async (secret: string) =>
    (await fetch(`${mounted.url}/event/ingest`, { method: 'POST', headers: { authorization: `Bearer ${secret}` } }))
      .status;
  t.equal(await status(SERVER_KEY.secret), 204);
  for (const [version, key] of [
    ['..v2', NEW_KEY],
    ['..v3', WEB_KEY],
  ] as const) {
    const from = mounted.lines.length;
    publish(version, [key]);
    rmSync(join(folder, `..v${Number(version.slice(3)) - 1}`), { recursive: true });
    await lineFrom(mounted, from, 'keys_loaded');
    t.equal(await status(key.secret), 204, version);
  }
  t.equal(await status(SERVER_KEY.secret), 401);
});

t.test('a key that names an API which comes later works as soon as that API is there', async (t) => {
  const { raw, postern, backend } = await startFlow(t);
  const key = { ...NEW_KEY, apis: ['orders'] };
  const send = () => raw(written({ target: '/orders/1', secret: key.secret, body: '{}' }));
  const before = postern.lines.length;
  postern.writeKeys([key]);
  await lineFrom(postern, before, 'key_problem');
  t.not((await send()).status, 204);
  const from = postern.lines.length;
  postern.writeConfig({
    apis: { integration: { upstream: backend.url }, orders: { upstream: backend.url, paths: ['/orders'] } },
  });
  await lineFrom(postern, from, 'keys_loaded');
  t.equal((await send()).status, 204);
});
