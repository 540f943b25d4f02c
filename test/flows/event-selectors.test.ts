/** The routes that docs/events.md shows, as they behave: deeper selectors, lists, kinds, and what is wrong with a body of each. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { codeOf, EVENTS_SECRET, startFlow, written } from '../support/flow.ts';

const [, shown = ''] = /```yaml\n(.*?)```/s.exec(readFileSync('docs/events.md', 'utf8')) ?? [];
const { apis } = parse(shown) as { apis: { collector: { paths: string[]; routes: Record<string, unknown>[] } } };

t.test('events at every place that a route can name', async (t) => {
  const { raw, backend } = await startFlow(t, { api: { paths: ['/'], routes: apis.collector.routes } });
  const send = (target: string, body: string) =>
    raw(written({ secret: EVENTS_SECRET, target, fields: ['Content-Type: application/json'], body }));
  const forwarded = async (target: string, body: string, left = body, removed = 0) => {
    const answer = await send(target, body);
    t.equal(answer.status, 204, body);
    t.equal(backend.requests.at(-1)?.body.toString(), left);
    const [, count = '0'] = /Postern-Removed-Events: (\d+)/.exec(answer.text) ?? [];
    t.equal(Number(count), removed);
  };
  const refused = async (target: string, code: string, ...bodies: readonly string[]) => {
    const seen = backend.requests.length;
    for (const body of bodies) t.equal(codeOf(await send(target, body)), code, body);
    t.equal(backend.requests.length, seen);
  };

  const spans = (...names: readonly string[]) => `{"spans":[${names.map((name) => `{"name":"${name}"}`).join(',')}]}`;
  const traces = (...scopes: readonly string[]) => `{"resourceSpans":[{"scopeSpans":[${scopes.join(', ')}]}]}`;
  await forwarded('/v1/traces', traces(spans('login', 'view')));
  await forwarded(
    '/v1/traces',
    traces(spans('x', 'login'), spans('x'), spans('view', 'x')),
    traces(spans('login'), spans(), spans('view')),
    3,
  );
  await refused('/v1/traces', 'event_not_allowed', traces(spans('x'), spans('y')));
  await refused('/v1/traces', 'invalid_event_body', traces('{}'), traces('1'), '{"resourceSpans":[{}]}', '{}', '[]');
  await refused(
    '/v1/traces',
    'ambiguous_body',
    traces('{"spans":[],"Spans":[]}'),
    traces('{"spans":[],"sp\\u0061ns":[]}'),
    traces('{"spans":[{"name":"login","NAME":"x"}]}'),
    traces('{"spans":[],"name":"x"}'),
    '{"resourceSpans":[],"name":"x"}',
  );

  await forwarded('/v1/batch', '[{"event":"x"},{"event":"login"}]', '[{"event":"login"}]', 1);
  await forwarded('/v1/batch', '{"batch":[{"event":"login"}]}');
  await refused('/v1/batch', 'ambiguous_body', '{"batch":[],"event":"x"}', '{"batch":[],"batch":[]}');
  await refused('/v1/batch', 'invalid_event_body', '{}', '{"event":"login"}', '{"Batch_":[]}');

  await forwarded('/v1/call', '{"type":"track","payload":{"name":"login"}}');
  await forwarded('/v1/call', '{"type":"identify","payload":{"id":1}}');
  await refused(
    '/v1/call',
    'event_not_allowed',
    '{"type":"track","payload":{"name":"x"}}',
    '{"type":"other","payload":{"name":"login"}}',
    '{"payload":{"name":"login"}}',
  );
  await refused('/v1/call', 'invalid_event_body', '{"type":"track"}', '{"type":"track","payload":"login"}');
  await refused(
    '/v1/call',
    'ambiguous_body',
    '{"type":"identify","type":"track","payload":{"name":"x"}}',
    '{"type":"track","payload":{"name":"login"},"name":"x"}',
    '{"type":"identify","Type":"track","payload":{}}',
  );
});
