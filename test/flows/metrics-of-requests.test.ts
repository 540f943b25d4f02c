import t from 'tap';
import { EVENTS_SECRET, startFlow, WEB_SECRET, written } from '../support/flow.ts';

t.test(
  'every request is counted once, by API, key and status, and nothing that a client can invent is a label',
  async (t) => {
    const { raw, postern } = await startFlow(t);
    const before = Date.now() / 1000;
    for (let n = 0; n < 3; n++) await raw(written({ target: `/invented-path-${n}?invented-query`, body: '{}' }));
    await raw(written({ secret: WEB_SECRET, method: 'PUT' }));
    await raw(written({ secret: EVENTS_SECRET, body: '{"name":"invented-event"}' }));
    await raw(
      written({
        secret: EVENTS_SECRET,
        target: '/event/ingest/batch',
        body: '{"events":[{"name":"login"},{"name":"x"},{"name":"y"}]}',
      }),
    );
    await raw(written({ secret: 'invented-secret-unknown', fields: ['X-Request-Id: invented-id'] }));
    await raw(written({ target: '/metrics/x' }));
    await raw('INVENTED / HTTP/1.1\r\n\r\n', { untilClose: true });
    const text = await (await fetch(`${postern.adminUrl}/metrics`)).text();
    const series = new Map(
      text
        .split('\n')
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
    const expected = {
      'postern_requests_total{api="integration",key="server",status="204"}': 3,
      'postern_requests_total{api="integration",key="web",status="403"}': 1,
      'postern_requests_total{api="integration",key="events",status="403"}': 1,
      'postern_requests_total{api="integration",key="events",status="204"}': 1,
      'postern_requests_total{api="integration",key="",status="401"}': 1,
      'postern_requests_total{api="",key="",status="404"}': 1,
      'postern_requests_total{api="",key="",status="501"}': 1,
      'postern_rejections_total{api="integration",key="web",reason="method_not_allowed",mode="enforce"}': 1,
      'postern_rejections_total{api="integration",key="events",reason="event_not_allowed",mode="enforce"}': 1,
      'postern_rejections_total{api="integration",key="",reason="unknown",mode="enforce"}': 1,
      'postern_events_total{key="events",outcome="forwarded"}': 1,
      'postern_events_total{key="events",outcome="removed"}': 2,
      'postern_events_total{key="events",outcome="rejected"}': 1,
      'postern_request_duration_seconds_count{api="integration"}': 7,
      'postern_upstream_duration_seconds_count{api="integration"}': 4,
      'postern_requests_in_flight{api="integration"}': 0,
      'postern_keys{type="write-only",state="active"}': 2,
      postern_key_source_up: 1,
      postern_config_last_reload_successful: 1,
    };
    for (const [name, value] of Object.entries(expected)) t.equal(series.get(name), value, name);
    const used = [...series].filter(([name]) =>
      name.startsWith('postern_secret_last_used_timestamp_seconds{key="server"'),
    );
    t.equal(used.length, 1);
    t.ok((used[0]?.[1] ?? 0) >= before - 1);
    t.notMatch(text, 'nvented');
  },
);
