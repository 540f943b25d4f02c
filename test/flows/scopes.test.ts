import t from 'tap';
import { codeOf, EVENTS_SECRET, SERVER_SECRET, startFlow, WEB_SECRET, written } from '../support/flow.ts';

t.test('each type of key has its methods', async (t) => {
  const { raw, backend, postern } = await startFlow(t);
  const send = (secret: string, method: string) => raw(written({ secret, method, target: '/profile/u1' }));
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
    t.equal((await send(SERVER_SECRET, method)).status, 204, `read-write ${method}`);
  t.same(
    backend.requests.map(({ method }) => method),
    ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  );
  t.equal((await send(WEB_SECRET, 'POST')).status, 204);
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    const answer = await send(WEB_SECRET, method);
    t.same([answer.status, codeOf(answer)], [403, 'method_not_allowed'], `write-only ${method}`);
  }
  const head = { method: 'HEAD', headers: { authorization: `Bearer ${WEB_SECRET}` } };
  t.equal((await fetch(`${postern.url}/profile/u1`, head)).status, 403);
  for (const method of ['OPTIONS', 'PROPFIND', 'SEARCH', 'M-SEARCH', 'PURGE'])
    t.equal(codeOf(await send(SERVER_SECRET, method)), 'method_not_allowed', `read-write ${method}`);
  t.equal(backend.requests.length, 7);
});

t.test('no way round the method: neither a header nor a parameter', async (t) => {
  const { raw, backend } = await startFlow(t);
  const overrides = ['X-HTTP-Method-Override', 'x-http-method', 'X-Method-Override', 'X_HTTP_Method_Override'];
  await raw(written({ secret: WEB_SECRET, fields: overrides.map((name) => `${name}: DELETE`), body: '{}' }));
  t.notMatch(backend.requests[0]?.rawHeaders.join('\n'), /override|http.method/i);
  const queries = ['_method=DELETE', 'a=1&_method=PUT', '_METHOD=x', '%5fmethod=x', '_%6Dethod=x', 'a=1;_method=x'];
  for (const query of [...queries, '_method', '_method[]=x', '_method%5B%5D=x', '.method=x', '+_method=x']) {
    const answer = await raw(written({ secret: WEB_SECRET, target: `/event/ingest?${query}`, body: '{}' }));
    t.same([answer.status, codeOf(answer)], [403, 'method_not_allowed'], query);
  }
  for (const query of ['method=x', 'a=_method', 'my_method=x', 'locationEnrichment=true', 'x=%zz'])
    t.equal(
      (await raw(written({ secret: WEB_SECRET, target: `/event/ingest?${query}`, body: '{}' }))).status,
      204,
      query,
    );
  t.equal((await raw(written({ target: '/event/ingest?_method=DELETE', body: '{}' }))).status, 204, 'read-write may');
});

t.test('a key limited to specific events has the listed routes alone, in every spelling of them', async (t) => {
  const { raw, backend } = await startFlow(t);
  const send = (target: string, body: string) => raw(written({ secret: EVENTS_SECRET, target, body }));
  for (const target of ['/event/ingest', '/EVENT/Ingest', '/event/ingest/', '/event/in%67est'])
    t.equal(codeOf(await send(target, '{"name":"other"}')), 'event_not_allowed', target);
  t.equal((await send('/profile', '{"userId":"u"}')).status, 204, 'a listed route without events');
  for (const target of ['/event', '/event/ingest/batch/x', '/track', '/', '/profile/u1']) {
    const answer = await send(target, '{"name":"login"}');
    t.same([answer.status, codeOf(answer)], [403, 'route_not_allowed'], target);
  }
  t.equal(backend.requests.length, 1);
  t.equal(
    (await raw(written({ secret: WEB_SECRET, target: '/track', body: '{}' }))).status,
    204,
    'all events: any route',
  );
});

t.test('a path of no API is not found, and a Host that the API does not serve neither', async (t) => {
  const { raw, postern } = await startFlow(t, { api: { hosts: ['API.test'] } });
  t.equal(codeOf(await raw(written({ target: '/metrics/query', body: '{}' }))), 'no_route');
  t.equal(codeOf(await raw(written({ target: '/METRICS', body: '{}' }))), 'no_route');
  t.equal((await raw(written({ body: '{}' }))).status, 204);
  const host = (name: string) => written({ body: '{}' }).toString('latin1').replace('Host: api.test', `Host: ${name}`);
  t.equal((await raw(host('Api.Test:8080'))).status, 204);
  t.equal(codeOf(await raw(host('other.test'))), 'no_route');
  t.match(postern.lines.at(-1), { api: '', reason: 'no_route', path: '/event/ingest' });
});
