import { createHash } from 'node:crypto';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { main } from '../../src/main.ts';
import { capturedIo } from '../support/command-io.ts';

async function postern(args: readonly string[], given: Parameters<typeof capturedIo>[0] = {}) {
  const { io, out, err } = capturedIo(given);
  return { code: await main(args, io), out: out.join('\n'), err: err.join('\n') };
}

const SECRET = 'secret-of-the-server-key';

function files(t: Test, { keys = '', config = '' } = {}): string {
  const folder = t.testdir({
    'postern.yaml': `apis:\n  integration:\n    upstream: http://127.0.0.1:9000\nlisten: { trustedProxies: [10.0.0.0/8] }\n${config}`,
    'keys.yaml': `keys:\n  - { id: server, type: read-write, secret: ${SECRET}, allowFrom: [203.0.113.7] }\n  - { id: web, type: write-only, secret: secret-of-the-web-key, allowedEvents: [login], allowedOrigins: ["https://a.example"] }\n${keys}`,
  });
  return join(folder, 'postern.yaml');
}

t.test('check names every mistake by file, line and column', async (t) => {
  const config = files(t, { keys: '  - { id: Web, type: write }\n', config: 'lisen: {}\n' });
  const { code, out } = await postern(['check', '--config', config]);
  t.equal(code, 1);
  const lines = out.split('\n').map((line) => line.slice(config.length - 'postern.yaml'.length));
  t.ok(
    lines.some((line) => /^postern\.yaml:5:1 error .*lisen.*listen/.test(line)),
    out,
  );
  t.ok(
    lines.some((line) => /^keys\.yaml:4:11 error keys\[2\]\.id .*"Web"/.test(line)),
    out,
  );
  t.ok(
    lines.some((line) => /^keys\.yaml:4:\d+ error keys\[2\]\.type .*"write"/.test(line)),
    out,
  );
  t.notMatch(out, SECRET);
});

t.test('keygen makes what hash hashes, check takes and explain knows', async (t) => {
  const { out } = await postern(['keygen', '--type', 'read-write']);
  const secret = /pstn_rw_[0-9A-Za-z]+/.exec(out)?.[0] ?? '';
  const hash = /sha256:[0-9a-f]{64}/.exec(out)?.[0];
  t.equal(hash, `sha256:${createHash('sha256').update(secret).digest('hex')}`);
  t.same(await postern(['hash'], { stdin: `${secret}\n` }), { code: 0, out: hash, err: '' });
  const config = files(t, { keys: `  - { id: made, type: read-write, secrets: [{ hash: "${hash}" }] }\n` });
  t.equal((await postern(['check', '--config', config])).code, 0);
  const ask = (key: string) =>
    postern([
      'explain',
      '--config',
      config,
      '--key',
      key,
      '--ip',
      '192.0.2.1',
      '--method',
      'GET',
      '--path',
      '/profile/u1',
    ]);
  t.match(await ask(secret), { code: 0, out: /allowed/ });
  const typo = `${secret.slice(0, -10)}${secret.at(-10) === 'a' ? 'b' : 'a'}${secret.slice(-9)}`;
  t.match(await ask(typo), { code: 3, out: /typing error/ });
});

t.test('explain tells what the running sidecar would do', async (t) => {
  const config = files(t);
  const explain = async (key: string, ip: string, method: string, path: string, ...more: readonly string[]) => {
    const { code, out } = await postern([
      'explain',
      '--json',
      '--config',
      config,
      '--key',
      key,
      '--ip',
      ip,
      '--method',
      method,
      '--path',
      path,
      ...more,
    ]);
    t.notMatch(out, key);
    const { status, code: reason } = JSON.parse(out) as { status: number | null; code: string | null };
    return [code, status, reason];
  };
  const server = (...rest: [string, string, string, ...string[]]) => explain(SECRET, ...rest);
  const web = (...rest: [string, string, string, ...string[]]) => explain('secret-of-the-web-key', ...rest);
  t.same(await server('203.0.113.7', 'GET', '/profile/u1'), [0, null, null]);
  t.same(await server('203.0.113.8', 'GET', '/profile/u1'), [3, 403, 'ip_not_allowed']);
  t.same(await server('203.0.113.7', 'GET', '/profile/../x'), [3, 400, 'ambiguous_path']);
  t.same(await server('203.0.113.7', 'GET', '/metrics/query'), [3, 404, 'no_route']);
  t.same(await server('203.0.113.7', 'POST', '/profile', '--origin', 'https://a.example'), [
    3,
    403,
    'browser_not_allowed',
  ]);
  t.same(await explain('no-such-secret-anywhere', '203.0.113.7', 'GET', '/x'), [3, 401, 'invalid_credential']);
  t.same(await web('192.0.2.1', 'GET', '/event/ingest'), [3, 403, 'method_not_allowed']);
  t.same(await web('192.0.2.1', 'POST', '/elsewhere'), [3, 403, 'route_not_allowed']);
  t.same(await web('192.0.2.1', 'POST', '/event/ingest', '--event', 'login'), [0, null, null]);
  t.same(await web('192.0.2.1', 'POST', '/event/ingest', '--event', 'other'), [3, 403, 'event_not_allowed']);
  t.same(await web('192.0.2.1', 'POST', '/event/ingest/batch', '--event', 'other', '--event', 'login'), [
    0,
    null,
    null,
  ]);
  t.same(await web('192.0.2.1', 'POST', '/event/ingest', '--origin', 'https://b.example'), [
    3,
    403,
    'origin_not_allowed',
  ]);
});

t.test('mistakes in the question are usage errors, mistakes in the files configuration errors', async (t) => {
  const config = files(t);
  const rest = ['--key', SECRET, '--method', 'GET', '--path', '/'];
  t.match(await postern(['explain', '--config', config, '--ip', '203.0.113.07', ...rest]), {
    code: 2,
    err: /203\.0\.113\.07/,
  });
  t.match(await postern(['explain', '--config', `${config}.none`, '--ip', '203.0.113.7', ...rest]), {
    code: 1,
    err: /:1:1 error/,
  });
  const broken = files(t, { keys: '  - { id: A }\n' });
  t.match(await postern(['explain', '--config', broken, '--ip', '203.0.113.7', ...rest]), {
    code: 1,
    err: /keys\.yaml:4:\d+ error/,
  });
});
