/** A collector that is away, hangs, or answers errors costs spans: no request, no memory, and no exit. */
import type { ServerResponse } from 'node:http';
import t from 'tap';
import { startBackend } from '../support/backend.ts';
import { startCollector, type CollectedSpan } from '../support/collector.ts';
import { eventually } from '../support/eventually.ts';
import { SERVER_KEY, SERVER_SECRET, startFlow } from '../support/flow.ts';
import { portsOf, spawnPostern } from '../support/process.ts';

const QUEUE = 20;
const BATCH = 5;
/** Exports that may be under way, as src/telemetry/exporter.ts bounds them. */
const EXPORTS = 4;

function exportTo(url: string, timeoutMs: number): void {
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = url;
  process.env['OTEL_BSP_SCHEDULE_DELAY'] = '1';
  process.env['OTEL_BSP_MAX_QUEUE_SIZE'] = String(QUEUE);
  process.env['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'] = String(BATCH);
  process.env['OTEL_BSP_EXPORT_TIMEOUT'] = String(timeoutMs);
  process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] = String(timeoutMs);
}

/** The statuses of so many requests, one after the other. */
async function ask(port: number, count: number, path = '/while'): Promise<Set<number>> {
  const statuses = new Set<number>();
  for (let i = 0; i < count; i += 1) {
    const headers = { authorization: `Bearer ${SERVER_SECRET}` };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    await answer.arrayBuffer();
    statuses.add(answer.status);
  }
  return statuses;
}

const pathIs =
  (path: string) =>
  ({ kind, attributes }: CollectedSpan): boolean =>
    kind === 'server' && attributes['url.path'] === path;

t.test('one that hangs holds up no request and no exit, and what waits for it is bounded', async (t) => {
  const held: ServerResponse[] = [];
  let hangs = true;
  const collector = await startCollector(t, (res) => void (hangs ? held.push(res) : res.writeHead(200).end()));
  // So long that whoever waited for it would be cut off at the end of the grace, which the log would tell.
  exportTo(collector.url, 60_000);
  const backend = await startBackend(t);
  const postern = spawnPostern(t, {
    config: {
      apis: { integration: { upstream: backend.url } },
      listen: { port: 0, host: '127.0.0.1', shutdownGraceSeconds: 0 },
    },
    keys: [SERVER_KEY],
  });
  const { data: port } = await portsOf(postern);
  t.same(await ask(port, 100), new Set([204]));
  await eventually(() => held.length > 0, 'an export');
  hangs = false;
  for (const res of held) res.writeHead(200).end();
  while (!collector.spans.some(pathIs('/after'))) await ask(port, 1, '/after');
  const kept = collector.spans.filter(pathIs('/while')).length;
  t.ok(kept > 0 && kept <= QUEUE + BATCH * EXPORTS, `${kept} spans of requests were kept, of 100`);
  hangs = true;
  const hung = collector.nextExport();
  await ask(port, 1);
  await hung;
  postern.child.kill('SIGINT');
  t.equal(await postern.exit, 0);
  t.notMatch(postern.stdout(), 'stopped_unclosed');
});

t.test('one that is away, and one that answers errors, are told of once, until they take spans again', async (t) => {
  let status = 503;
  const collector = await startCollector(t, (res) => void res.writeHead(status).end('answer-of-the-collector'));
  // Too short for the pause before a second try.
  exportTo(collector.url, 700);
  const { postern } = await startFlow(t);
  t.same(await ask(postern.port, 30), new Set([204]));
  const told = () => postern.lines.filter(({ msg }) => String(msg).startsWith('traces_'));
  const until = async (count: number) => {
    while (told().length < count) await ask(postern.port, 1);
  };
  await until(1);
  t.match(told(), [{ level: 'warn', msg: 'traces_not_exported', detail: 'Export failed with retryable status' }]);
  status = 200;
  await until(2);
  t.match(told()[1], { level: 'info', msg: 'traces_exported_again' });
  status = 400;
  await until(3);
  t.match(told()[2], { level: 'warn', detail: 'the collector answered 400' });
  t.notMatch(postern.logText(), 'answer-of-the-collector');

  exportTo('http://127.0.0.1:9', 700);
  const away = await startFlow(t);
  t.same(await ask(away.postern.port, 30), new Set([204]));
  while (!away.postern.logText().includes('traces_not_exported')) await ask(away.postern.port, 1);
  t.match(away.postern.lines.at(-1), { msg: 'traces_not_exported', detail: 'ECONNREFUSED' });
});
