/** Which requests are answered to everybody, and exactly how. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import t from 'tap';
import { createOpenPart } from '../../src/admin/open-part.ts';
import { createHealth } from '../../src/observability/health.ts';

interface Told {
  taken: boolean;
  status: number;
  readonly headers: Record<string, unknown>;
  body: string;
  destroyed: boolean;
}

interface Asking {
  readonly loaded?: boolean;
  readonly parts?: () => AsyncIterable<string>;
}

const scrapeOf = (...parts: readonly string[]) =>
  async function* (): AsyncGenerator<string> {
    yield* parts;
  };

/** Asks an open part; resolves when it has answered, or has not taken the request. */
function asking({ loaded = true, parts = scrapeOf('a 1\n', 'b 2\n') }: Asking = {}) {
  const logged: unknown[] = [];
  const health = createHealth(() => loaded);
  const answer = createOpenPart({
    metrics: { contentType: 'text/plain', parts },
    health,
    log: { error: (event, fields) => void logged.push([event, fields]) },
  });
  const ask = (url: string, method = 'GET', { accept = '' } = {}): Promise<Told> =>
    new Promise((resolve) => {
      const told: Told = { taken: false, status: 0, headers: {}, body: '', destroyed: false };
      const res = {
        headersSent: false,
        setHeader: (name: string, value: unknown) => void (told.headers[name] = value),
        writeHead(status: number, headers: object) {
          res.headersSent = true;
          told.status = status;
          Object.assign(told.headers, headers);
          return res;
        },
        write(part: Buffer) {
          told.body += part.toString();
          return true;
        },
        end(body = '') {
          told.body += body;
          setImmediate(resolve, told);
        },
        destroy() {
          told.destroyed = true;
          setImmediate(resolve, told);
        },
      };
      const req = { method, url, headers: { accept } } as unknown as IncomingMessage;
      told.taken = answer(req, res as unknown as ServerResponse);
      if (!told.taken) resolve(told);
    });
  return { ask, logged, health };
}

void t.test('its paths in every form of a target, and no other', async (t) => {
  const { ask } = asking();
  for (const url of [
    '/metrics',
    '/metrics?name=x?y',
    'http://a/metrics',
    'HTTPS://a.example:9090/metrics?x',
    'http:///metrics',
  ])
    t.equal((await ask(url)).taken, true, url);
  for (const url of ['/', '', '/metrics/', '/Metrics', '/metricshttp://a', 'http://a?/metrics', 'ftp://a/metrics', '?'])
    t.equal((await ask(url)).taken, false, url);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'get'])
    t.equal((await ask('/metrics', method)).taken, false, method);
});

void t.test('what each says', async (t) => {
  const { ask, health } = asking();
  const json = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };
  const probed = (status: number, body: string) => ({
    taken: true,
    status,
    headers: { ...json, 'content-length': body.length },
    body,
    destroyed: false,
  });
  for (const method of ['GET', 'HEAD']) t.strictSame(await ask('/healthz', method), probed(200, '{"status":"ok"}'));
  t.strictSame(await ask('/readyz'), probed(200, '{"status":"ready"}'));
  health.drain();
  const { status, body } = await ask('/readyz');
  t.equal(status, 503);
  t.match(JSON.parse(body), { status: 'draining', reason: /\w/ });
  const metrics = await ask('/metrics');
  t.strictSame(
    [metrics.status, metrics.body, metrics.headers],
    [200, 'a 1\nb 2\n', { vary: 'Accept', 'content-type': 'text/plain', 'content-length': '8' }],
  );
  const open = await ask('/metrics', 'GET', { accept: 'application/openmetrics-text; version=1.0.0' });
  t.equal(open.status, 200);
  t.match(open.headers['content-type'], /^application\/openmetrics-text/);
  t.equal(open.body, 'a 1\nb 2\n# EOF\n');
});

void t.test('metrics that cannot be had are an internal error, or an answer that is broken off', async (t) => {
  const failing = (start: string) =>
    asking({
      parts: async function* () {
        yield start;
        throw new Error('the inside');
      },
    });
  const short = failing('a 1\n');
  const { status, headers, body } = await short.ask('/metrics');
  t.strictSame([status, headers['content-type']], [500, 'application/problem+json; charset=utf-8']);
  t.match(JSON.parse(body), {
    code: 'internal_error',
    detail: 'Something went wrong here. The request was not at fault.',
  });
  const long = failing('a 1\n'.repeat(50_000));
  const begun = await long.ask('/metrics');
  t.strictSame([begun.destroyed, begun.status, begun.body.length], [true, 200, 200_000]);
  for (const { logged } of [short, long])
    t.match(logged, [['admin_request_failed', { error: { message: 'the inside' } }]]);
});

void t.test('a long scrape has no length of its own', async (t) => {
  const { ask } = asking({ parts: scrapeOf('a 1\n'.repeat(50_000), 'b 2\n') });
  const { headers, body } = await ask('/metrics');
  t.strictSame(headers, { vary: 'Accept', 'content-type': 'text/plain' });
  t.equal(body, `${'a 1\n'.repeat(50_000)}b 2\n`);
});
