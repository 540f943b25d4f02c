import * as fc from 'fast-check';
import t from 'tap';
import { createLog, fallbackLog, rejectionLine } from '../../src/observability/log.ts';
import type { LogLevel } from '../../src/observability/log.ts';
import type { Rejection } from '../../src/observability/outcome.ts';
import { refusal } from '../../src/refusal.ts';
import { NOON, outcome } from '../support/outcomes.ts';
import { catchTimers } from '../support/timers.ts';

function collecting(level: LogLevel = 'info') {
  const lines: string[] = [];
  const log = createLog({ level, now: () => NOON, destination: { write: (line) => void lines.push(line) } });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const rejection: Rejection = {
  level: 'warn',
  time: '2026-01-31T12:00:00.000Z',
  msg: 'rejected',
  requestId: 'req-1',
  api: 'integration',
  keyId: 'web',
  reason: 'ip_not_allowed',
  status: 403,
  clientIp: '203.0.113.7',
  method: 'POST',
  path: '/event/ingest',
  removedEvents: 0,
  mode: 'enforce',
  rule: undefined,
  events: undefined,
  userAgent: undefined,
  traceId: undefined,
  aborted: undefined,
};
const because = refusal('ip_not_allowed', '203.0.113.7 is not on the list of web');

t.test('what is shared through Redis says when it is not, and when it is again', async (t) => {
  const { log, parsed } = collecting();
  const tell = fallbackLog(log, 'rate_limit');
  tell(true, 'connect ECONNREFUSED');
  tell(false, '');
  const time = '2026-01-31T12:00:00.000Z';
  t.same(parsed(), [
    { level: 'warn', time, use: 'rate_limit', detail: 'connect ECONNREFUSED', msg: 'redis_fallback_begins' },
    { level: 'info', time, use: 'rate_limit', msg: 'redis_fallback_ends' },
  ]);
});

t.test('the rule that decided stands in the line, if there is one', async (t) => {
  t.notMatch(rejectionLine(rejection), 'rule');
  const line = rejectionLine({ ...rejection, rule: 'allowedRoutes of key "a"\n' });
  t.match(JSON.parse(line), { mode: 'enforce', rule: 'allowedRoutes of key "a"\n' });
  t.equal(line.indexOf('\n'), line.length - 1);
});

t.test('what else there is to say stands at the end of a line of any kind', async (t) => {
  const told = { events: ['a"\n'], userAgent: 'curl/8 \u2028', traceId: 'ab'.repeat(16), aborted: true } as const;
  const line = rejectionLine({ ...rejection, ...told });
  t.match(line, /^[ -~]*\n$/);
  t.equal(JSON.stringify(JSON.parse(line)), JSON.stringify({ ...rejection, ...told }));
  const { log, parsed } = collecting();
  log.upstreamFailure(outcome({ ...told, upstreamFailure: 'truncated' }));
  log.request(outcome(told));
  log.request(outcome());
  const [failure, request, plain] = parsed();
  t.match(failure, told);
  t.match(request, told);
  t.match(plain, { events: undefined, userAgent: undefined, traceId: undefined, aborted: undefined });
});

t.test('a refusal is one line with exactly its fields, in their order', async (t) => {
  const { log, lines } = collecting();
  log.rejection(rejection, because);
  t.equal(lines.length, 1);
  t.equal(lines[0], `${JSON.stringify(rejection)}\n`);
});

t.test('a line says what its own refusal was, whatever the one before it said', async (t) => {
  const changes: Partial<Rejection>[] = [
    { level: 'info' },
    { time: '2026-01-31T12:00:00.001Z' },
    { msg: 'would_reject' },
    { requestId: 'req-2' },
    { api: 'metrics' },
    { keyId: 'app' },
    { reason: 'no_route' },
    { status: 404 },
    { clientIp: '203.0.113.8' },
    { method: 'GET' },
    { path: '/event' },
    { removedEvents: 1 },
    { mode: 'report' },
    { rule: 'allowFrom of key "web"' },
    { events: ['login'] },
    { userAgent: 'curl/8' },
    { traceId: 'ab'.repeat(16) },
    { aborted: true },
  ];
  t.strictSame(
    changes.flatMap((change) => Object.keys(change)),
    Object.keys(rejection),
  );
  for (const change of changes)
    for (const said of [{ ...rejection, ...change }, rejection])
      t.equal(rejectionLine(said), `${JSON.stringify(said)}\n`, Object.keys(change).join());
});

t.test('at level debug a second line says why', async (t) => {
  const { log, parsed } = collecting('debug');
  log.rejection(rejection, because);
  t.match(parsed()[1], { level: 'debug', msg: 'why', requestId: 'req-1', why: because.why });
});

t.test('whatever a client sends, its line is one line of printable ASCII that reads back as sent', async (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('"}\n{"level":"fatal"', '\u2028', '\u0085', '\u009b31m', '\\'),
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(text, text, text, (path, requestId, clientIp) => {
        const sent = { ...rejection, path, requestId, clientIp };
        const line = rejectionLine(sent);
        const read = JSON.parse(line) as Rejection;
        return (
          /^[ -~]*\n$/.test(line) && read.path === path && read.requestId === requestId && read.clientIp === clientIp
        );
      }),
    ),
  );
});

t.test('a line below the level is not written, and the level can change', async (t) => {
  const { log, lines } = collecting('warn');
  log.rejection({ ...rejection, level: 'info' }, because);
  log.info('started');
  t.equal(lines.length, 0);
  log.rejection(rejection, because);
  t.equal(lines.length, 1);
  log.setLevel('info');
  log.info('started');
  t.equal(lines.length, 2);
  log.setLevel('silent');
  log.fatal('over');
  t.equal(lines.length, 2);
});

t.test('operational lines carry level as text, time as RFC 3339, the event as msg, and no credentials', async (t) => {
  const { log, lines } = collecting();
  log.error('key_source_down', {
    source: 'redis://:s3cret@redis:6379',
    error: new Error('connect redis://:s3cret@redis:6379 failed'),
    urls: ['redis://u:s3cret@a'],
    retrySeconds: 2,
  });
  t.equal(
    lines[0],
    '{"level":"error","time":"2026-01-31T12:00:00.000Z","source":"redis://***@redis:6379",' +
      '"error":"connect redis://***@redis:6379 failed","urls":["redis://***@a"],"retrySeconds":2,"msg":"key_source_down"}\n',
  );
});

t.test('an operational line is one line of printable ASCII too', async (t) => {
  const { log, lines, parsed } = collecting();
  log.warn('config_reload_failed', { error: 'a\nb\u2028c\u001b[2J' });
  t.match(lines[0], /^[ -~]*\n$/);
  t.equal(parsed()[0]?.['error'], 'a\nb\u2028c\u001b[2J');
});

t.test('an upstream failure and a plain request have lines of their own', async (t) => {
  const { log, parsed } = collecting();
  log.upstreamFailure(outcome({ status: 504, upstreamFailure: 'header_timeout', path: '/a?key=s3cret' }));
  log.request(outcome({ upstreamSeconds: 0.001 }));
  const [failure, request] = parsed();
  t.match(failure, { level: 'warn', msg: 'upstream_failed', kind: 'header_timeout', status: 504, path: '/a' });
  t.match(request, { level: 'info', msg: 'request', status: 204, durationSeconds: 0.002, upstreamSeconds: 0.001 });
});

t.test('a flush that nobody reads is given up after a second', async (t) => {
  let finish = (): void => {};
  let givenUp = 0;
  const destination = {
    write: () => undefined,
    flush: (done: () => void) => void (finish = done),
    giveUp: () => (givenUp++, finish()),
  };
  const log = createLog({ level: 'info', now: () => NOON, destination });
  let flushed: Promise<void> | null = null;
  const [patience, ...others] = catchTimers(() => void (flushed = log.flush()));
  t.same([patience?.ms, others], [1000, []]);
  t.equal(givenUp, 0);
  patience?.run();
  await flushed;
  t.equal(givenUp, 1);
});
