import t from 'tap';
import { request } from '../support/attack.ts';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';
import { sendRaw } from '../support/raw-http.ts';

const SERVER = 'secret-of-the-server-key';
const WEB = 'secret-of-the-web-key';
const HOST = 'Host: a';
const FORGED = '{"level":"info","msg":"forged"}';

/** Texts that some reader takes for the end of a line, of a string or for a command. */
const TEXTS = [
  '\n',
  '\r\n',
  '\r',
  '\u0085',
  '\u2028',
  '\u2029',
  '\u001b[2J',
  '\0',
  '"',
  '\\',
  '\\"',
  '","msg":"forged',
  '\x7f',
  '\v',
  '\f',
  '%0a',
  '\x9b31m',
];

t.test('no text of a client’s forges a log line, and none becomes a label', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } }, log: { requests: 'all', level: 'debug' } },
    keys: [
      { id: 'server', type: 'read-write', secret: SERVER },
      { id: 'web', type: 'write-only', secret: WEB, allowedEvents: ['login'], allowedOrigins: ['https://app.example'] },
    ],
  });
  const series = async (): Promise<string[]> => {
    const text = await (await fetch(`${postern.adminUrl}/metrics`)).text();
    return text.split('\n').filter((line) => line.startsWith('postern_') && !line.includes('_bucket{'));
  };
  const namesOf = (lines: readonly string[]): string[] => lines.map((line) => line.slice(0, line.lastIndexOf(' ')));
  const everywhere = (text: string, n: number): string[] => {
    const encoded = encodeURIComponent(Buffer.from(text, 'latin1').toString('latin1'));
    const bytes = Buffer.from(text).toString('latin1');
    return [
      request(`GET /${encoded}${encodeURIComponent(FORGED)} HTTP/1.1`, [HOST]),
      request(`GET /a?${encoded}${encodeURIComponent(FORGED)} HTTP/1.1`, [HOST]),
      request(`X${n} /a HTTP/1.1`, [HOST]),
      request('GET /a HTTP/1.1', [HOST, `Authorization: Bearer x${bytes}${FORGED}`]),
      request('GET /a HTTP/1.1', [HOST, `X-Request-Id: ${bytes}${FORGED}`]),
      request('POST /a HTTP/1.1', [
        HOST,
        `Authorization: Bearer ${WEB}`,
        `Origin: ${bytes}${FORGED}`,
        'Content-Length: 0',
      ]),
      request('GET /a HTTP/1.1', [HOST, `X-Forwarded-For: ${bytes}${FORGED}`]),
      request('GET /a HTTP/1.1', [`Host: ${bytes}${FORGED}`]),
      request(
        'POST /event/ingest HTTP/1.1',
        [HOST, `Authorization: Bearer ${WEB}`],
        JSON.stringify({ name: `${text}${FORGED}${n}` }),
      ),
    ];
  };
  const before = namesOf(await series());
  for (const [n, text] of TEXTS.entries()) for (const bytes of everywhere(text, n)) await sendRaw(postern.port, bytes);
  t.equal(backend.requests.length, 0);

  const raw = postern.logText();
  t.notMatch(raw, /[^\n -~]/, 'only printable ASCII');
  const lines = raw.trimEnd().split('\n');
  t.ok(lines.length >= TEXTS.length * 8);
  for (const line of lines) {
    const parsed = JSON.parse(line) as Record<string, unknown>;
    if (
      parsed['msg'] === 'forged' ||
      Object.keys(parsed).length !== new Set(line.match(/(?<=[{,])"[a-zA-Z]+"(?=:)/g)).size
    )
      t.fail(`a forged line: ${line}`);
  }
  for (const text of [SERVER, WEB, 'level%22', '?']) t.notOk(raw.includes(`/a${text}`), `no ${text} in a path`);

  const added = namesOf(await series()).filter((name) => !before.includes(name));
  const labels = [...added.join('\n').matchAll(/[a-z]+="([^"]*)"/g)].map(([, value]) => value ?? '');
  t.ok(added.length < 40, `${added.length} new series`);
  for (const label of labels) t.match(label, /^[a-z0-9_-]*$/, 'a label of the closed vocabulary');
});

t.test('a thousand invented things make no series', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } } },
    keys: [{ id: 'server', type: 'read-write', secret: SERVER }],
  });
  const count = async (): Promise<number> =>
    (await (await fetch(`${postern.adminUrl}/metrics`)).text()).match(/^postern_/gm)?.length ?? 0;
  await sendRaw(postern.port, request('GET /a HTTP/1.1', [HOST, 'Authorization: Bearer x']));
  const before = await count();
  for (let i = 0; i < 200; i++) {
    const pipelined = Array.from({ length: 5 }, (_, k) =>
      request(`GET /a${i}-${k}?${i} HTTP/1.1`, [HOST, `Authorization: Bearer x${i}-${k}`, `X-Request-Id: ${i}-${k}`]),
    );
    await sendRaw(postern.port, pipelined.join(''));
  }
  t.equal(await count(), before);
});

t.test('the admin port serves what it is for, and is not on the data port', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } } },
    keys: [{ id: 'server', type: 'read-write', secret: SERVER }],
  });
  const adminPort = postern.sidecar.admin.port;
  const statusOf = async (bytes: string): Promise<number> => (await sendRaw(adminPort, bytes)).status;
  for (const path of ['/metrics', '/healthz', '/readyz'])
    t.equal(await statusOf(request(`GET ${path} HTTP/1.1`, [HOST])), 200, path);
  for (const target of [
    '/api/keys',
    '/api/config',
    '/api/summary',
    '/api/rejections',
    '/api/explain',
    '/api/../metrics',
    '//metrics',
    '/metrics/..%2fapi',
    '/%2e%2e/metrics',
    '/profile/1',
    '/.env',
    '/debug/pprof',
    'http://a/api/keys',
  ])
    t.match(await statusOf(request(`GET ${target} HTTP/1.1`, [HOST])), /^4\d\d$/, `GET ${target} without a token`);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'CONNECT'])
    for (const target of ['/metrics', '/api/keys', '/api/cache/purge'])
      t.not(
        await statusOf(request(`${method} ${target} HTTP/1.1`, [HOST, 'Content-Length: 0'])),
        200,
        `${method} ${target}`,
      );
  for (const target of ['/healthz', '/readyz', '/api/keys', '/metrics'])
    t.match(
      (await sendRaw(postern.port, request(`GET ${target} HTTP/1.1`, [HOST]))).status,
      /^4\d\d$/,
      `${target} on the data port`,
    );
  t.equal(backend.requests.length, 0);
});
