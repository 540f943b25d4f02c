import t from 'tap';
import { codeOf, EVENTS_KEY, EVENTS_SECRET, startFlow, written } from '../support/flow.ts';

const BATCH = '/event/ingest/batch';
const DIGESTS = ['Content-MD5: x', 'Digest: x', 'Content-Digest: x', 'Repr-Digest: x'];

t.test('disallowed events are cut out, and what is kept is kept byte for byte', async (t) => {
  const { raw, backend, postern } = await startFlow(t, {
    respond: (_req, res) => void res.writeHead(202, { 'content-length': 5 }).end('taken'),
  });
  const send = (body: string, fields: readonly string[] = []) =>
    raw(written({ secret: EVENTS_SECRET, target: `${BATCH}?locationEnrichment=true`, body, fields }));
  const body =
    '{"v" : 1.0,"events" : [ {"name":"login","n":12345678901234567890} , {"name":"other"},\n{"name":"vi\\u0065w", "p":{"name":"other"}}],"names":"other"}';
  const answer = await send(body, DIGESTS);
  t.same([answer.status, answer.body, answer.headers['postern-removed-events']], [202, 'taken', '1']);
  const [request] = backend.requests;
  const sent = request?.body.toString() ?? '';
  t.match(sent, /^\{"v" : 1\.0,"events" : \[ \{"name":"login","n":12345678901234567890\}\s*,\s*\{"name":"vi\\u0065w"/);
  t.match(sent, /"p":\{"name":"other"\}\}\],"names":"other"\}$/);
  t.equal((JSON.parse(sent) as { events: unknown[] }).events.length, 2);
  t.equal(request?.headers['content-length'], String(sent.length));
  t.equal(request?.url, `${BATCH}?locationEnrichment=true`);
  t.notMatch(request?.rawHeaders.join('\n'), /digest|md5/i);
  t.equal(await postern.metric('postern_events_total{key="events",outcome="forwarded"}'), 2);
  t.equal(await postern.metric('postern_events_total{key="events",outcome="removed"}'), 1);
  t.equal(postern.lines.filter(({ msg }) => msg === 'rejected').length, 0, 'a cut is no refusal');
});

t.test('nothing to cut: the very bytes received, digests and all', async (t) => {
  const { raw, backend } = await startFlow(t);
  for (const body of [' {"events":[{"name":"login"},{"name":"view"}]}\n', '{"events":[]}', '{"events":[ ],"x":1}']) {
    const answer = await raw(written({ secret: EVENTS_SECRET, target: BATCH, body, fields: DIGESTS }));
    t.equal(answer.status, 204, body);
    t.equal(answer.headers['postern-removed-events'], undefined);
    t.equal(backend.requests.at(-1)?.body.toString(), body);
    t.equal(backend.requests.at(-1)?.headers['content-md5'], 'x');
  }
});

t.test('all cut: refused, nothing forwarded', async (t) => {
  const { raw, backend, postern } = await startFlow(t);
  const answer = await raw(
    written({ secret: EVENTS_SECRET, target: BATCH, body: '{"events":[{"name":"a"},{"name":1},{}]}' }),
  );
  t.same([answer.status, codeOf(answer)], [403, 'event_not_allowed']);
  t.equal(backend.requests.length, 0);
  t.equal(await postern.metric('postern_events_total{key="events",outcome="rejected"}'), 3);
});

t.test('disallowedEvents: reject refuses the whole batch for one of them', async (t) => {
  const { raw, backend } = await startFlow(t, { keys: [{ ...EVENTS_KEY, disallowedEvents: 'reject' }] });
  const send = (body: string) => raw(written({ secret: EVENTS_SECRET, target: BATCH, body }));
  t.equal(codeOf(await send('{"events":[{"name":"login"},{"name":"other"}]}')), 'event_not_allowed');
  t.equal((await send('{"events":[{"name":"login"},{"name":"view"}]}')).status, 204);
  t.equal(backend.requests.length, 1);
});

t.test('a batch of another shape is refused', async (t) => {
  const { raw, backend } = await startFlow(t);
  const cases: Readonly<Record<string, readonly string[]>> = {
    invalid_event_body: [
      '{}',
      '{"events":{}}',
      '{"events":null}',
      '{"events":["login"]}',
      '{"events":[[{"name":"login"}]]}',
      '[{"name":"login"}]',
    ],
    ambiguous_body: [
      '{"events":[],"events":[]}',
      '{"Events":[]}',
      '{"events":[{"name":"login","NAME":"x"}]}',
      '{"events":[{"name":"other","name":"login"}]}',
    ],
    invalid_json: ['{"events":[{"name":"login"},]}', '{"events":[{"name":"login"}]}]'],
  };
  for (const [code, bodies] of Object.entries(cases))
    for (const body of bodies)
      t.equal(codeOf(await raw(written({ secret: EVENTS_SECRET, target: BATCH, body }))), code, body);
  t.equal(backend.requests.length, 0);
});
