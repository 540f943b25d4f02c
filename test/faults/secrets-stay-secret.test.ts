import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { stringify } from 'yaml';
import { request } from '../support/attack.ts';
import { main } from '../../src/main.ts';
import { startBackend } from '../support/backend.ts';
import { capturedIo } from '../support/command-io.ts';
import { portsOf, spawnPostern } from '../support/process.ts';
import { sendRaw } from '../support/raw-http.ts';

/** Each secret holds this mark, so that any part of one is found. */
const MARK = 'MaRkEd';
const secret = (what: string): string => `${MARK}-secret-of-${what}-0123456789abcdef`;

const SECRETS = {
  server: secret('server'),
  web: secret('web'),
  client: secret('client'),
  apiKey: secret('api-key'),
  signing: secret('signing-tokens-with-enough-bytes'),
  upstream: secret('upstream'),
  admin: secret('admin'),
  presented: secret('nobody'),
};

const keys = [
  { id: 'server', type: 'read-write', secret: SECRETS.server },
  {
    id: 'web',
    type: 'write-only',
    secret: SECRETS.web,
    allowedEvents: ['login'],
    allowedOrigins: ['https://app.example'],
  },
  { id: 'dashboard', type: 'metrics', secret: SECRETS.client, apiKey: SECRETS.apiKey },
];

t.test(
  'no marked secret, query or body shows in logs, errors, metrics, explain, admin answers or crash output',
  async (t) => {
    const answers: string[] = [];
    const backend = await startBackend(
      t,
      (req, res) => void (req.url.startsWith('/break') ? res.socket?.destroy() : res.end('ok')),
    );
    const config = {
      listen: { host: '127.0.0.1', port: 0, shutdownGraceSeconds: 1 },
      admin: { port: 0, token: SECRETS.admin },
      apis: {
        integration: { upstream: backend.url, authorization: `Bearer ${SECRETS.upstream}` },
        metrics: { upstream: backend.url, token: { secret: SECRETS.signing } },
      },
      log: { level: 'debug', requests: 'all' },
    };
    const postern = spawnPostern(t, { config, keys });
    const { data, admin } = await portsOf(postern);
    const send = async (...parts: Parameters<typeof request>): Promise<string> => {
      const { text } = await sendRaw(data, request(...parts));
      answers.push(text);
      return text;
    };
    const HOST = 'Host: a';
    const bearer = (value: string): string => `Authorization: Bearer ${value}`;
    const marked = `{"name":"rogue","text":"${secret('event-text')}"}`;

    for (const credential of [
      SECRETS.server,
      SECRETS.web,
      SECRETS.presented,
      SECRETS.client,
      SECRETS.apiKey,
      `${SECRETS.server}x`,
    ]) {
      await send(`GET /profile/1?api_key=${secret('query')} HTTP/1.1`, [HOST, bearer(credential)]);
      await send('POST /event/ingest HTTP/1.1', [HOST, bearer(credential)], marked);
      await send(
        'POST /event/ingest HTTP/1.1',
        [HOST, bearer(credential), `Content-Type: ${secret('type')}/x`],
        marked,
      );
      await send(
        'POST /event/ingest HTTP/1.1',
        [HOST, bearer(credential), `Content-Encoding: ${secret('coding')}`],
        marked,
      );
      await send(
        'POST /event/ingest HTTP/1.1',
        [HOST, bearer(credential), `Origin: https://${secret('origin')}`],
        marked,
      );
      await send(`GET /a//b?${secret('query')} HTTP/1.1`, [HOST, bearer(credential)]);
      await send(`GET /break?${secret('query')} HTTP/1.1`, [HOST, bearer(credential)]);
      await send('GET /a HTTP/1.1', [HOST, bearer(credential), bearer(credential)]);
      await send('GET /a HTTP/1.1', [HOST, `Authorization: ${credential}`]);
      await send('GET /a HTTP/1.1', [HOST, `Cookie: ${credential}`, `X-Api-Key: ${credential}`]);
      await send('GET /a HTTP/1.1', [HOST, `${credential} : broken`]);
      await send(`GET http://${credential}@a/ HTTP/1.1`, [HOST]);
      await send('POST /metrics/query HTTP/1.1', [HOST, bearer(credential)], marked);
    }
    const pair = (clientSecret: string, environmentApiKey: string): string =>
      JSON.stringify({ clientSecret, environmentApiKey });
    const JSON_TYPE = 'Content-Type: application/json';
    for (const [one, other] of [
      [SECRETS.client, SECRETS.presented],
      [SECRETS.presented, SECRETS.apiKey],
    ] as const)
      await send('POST /metrics/auth/token HTTP/1.1', [HOST, JSON_TYPE], pair(one, other));
    await send(
      'POST /metrics/auth/token HTTP/1.1',
      [HOST, 'Content-Type: application/x-www-form-urlencoded'],
      `client_secret=${SECRETS.client}&x=%zz`,
    );
    const { body } = await sendRaw(
      data,
      request('POST /metrics/auth/token HTTP/1.1', [HOST, JSON_TYPE], pair(SECRETS.client, SECRETS.apiKey)),
    );
    const { accessToken } = JSON.parse(body) as { accessToken: string };
    await send('POST /metrics/query HTTP/1.1', [HOST, bearer(accessToken), JSON_TYPE], marked);
    await send('POST /metrics/query HTTP/1.1', [HOST, bearer(`${accessToken}x`), JSON_TYPE], marked);

    const fromAdmin = async (path: string, init: RequestInit = {}): Promise<void> => {
      const answer = await fetch(`http://127.0.0.1:${admin}${path}`, init);
      answers.push(`${path} ${JSON.stringify([...answer.headers])} ${await answer.text()}`);
    };
    const authorized = { headers: { authorization: `Bearer ${SECRETS.admin}`, 'content-type': 'application/json' } };
    for (const path of [
      '/metrics',
      '/readyz',
      '/healthz',
      '/api/config',
      '/api/keys',
      '/api/rejections',
      '/api/summary',
      '/openapi.json',
      '/',
    ])
      await fromAdmin(path, authorized);
    await fromAdmin('/api/config', { headers: { authorization: `Bearer ${SECRETS.presented}` } });
    const question = { key: SECRETS.server, ip: '127.0.0.1', method: 'GET', path: '/profile/1' };
    await fromAdmin('/api/explain', { ...authorized, method: 'POST', body: JSON.stringify(question) });
    await fromAdmin('/api/explain', {
      ...authorized,
      method: 'POST',
      body: JSON.stringify({ ...question, key: SECRETS.presented }),
    });
    t.ok(
      answers.some((text) => text.includes('postern_requests_total')) &&
        answers.some((text) => text.startsWith('/api/keys')),
    );

    // Broken files are quoted in what is said about them, never their secrets.
    const good = readFileSync(postern.keysFile);
    for (const broken of [
      stringify({ keys: [{ id: 'a', type: 'read-write', secret: SECRETS.server, sceret: SECRETS.web }] }),
      stringify({ keys: [{ id: 'a', type: 'read-only', secrets: [{ hash: SECRETS.web }] }] }),
      stringify({ keys: [...keys, { id: 'copy', type: 'read-write', secret: SECRETS.server }] }),
      `keys:\n  - id: a\n    secret: ${SECRETS.server}\n   bad: ${SECRETS.web}\n`,
    ]) {
      writeFileSync(postern.keysFile, broken);
      const { io, out, err } = capturedIo();
      t.equal(await main(['check', '--config', postern.configFile], io), 1);
      answers.push(...out, ...err);
    }
    writeFileSync(postern.keysFile, good);
    for (const key of [SECRETS.server, SECRETS.presented, SECRETS.web])
      for (const json of [[], ['--json']]) {
        const { io, out, err } = capturedIo();
        const asked = [
          '--key',
          key,
          '--ip',
          '127.0.0.1',
          '--method',
          'POST',
          '--path',
          '/event/ingest',
          '--event',
          'other',
        ];
        t.match(await main(['explain', '--config', postern.configFile, ...asked, ...json], io), /^[03]$/);
        answers.push(...out, ...err);
      }
    // A port that is taken ends a start.
    const failed = spawnPostern(t, { config: { ...config, listen: { ...config.listen, port: data } }, keys });
    t.equal(await failed.exit, 1);
    answers.push(failed.stdout() + failed.stderr());

    postern.child.kill('SIGTERM');
    await postern.exit;
    for (const text of [postern.stdout(), postern.stderr(), ...answers]) {
      const at = text.indexOf(MARK);
      t.equal(at, -1, at === -1 ? 'no marked text' : `…${text.slice(Math.max(0, at - 300), at + 80)}`);
      t.notOk(text.includes(accessToken), 'no access token');
    }
  },
);
