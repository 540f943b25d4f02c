import t from 'tap';
import { methodAttributes, spanNameOf } from '../../src/telemetry/method.ts';

t.test('the usual methods name spans; of others there is one', (t) => {
  t.same(methodAttributes('GET'), { 'http.request.method': 'GET' });
  t.same(methodAttributes('PROPFIND'), { 'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND' });
  t.same(methodAttributes('get'), { 'http.request.method': '_OTHER', 'http.request.method_original': 'get' });
  t.equal(spanNameOf('GET', '/v1/users/:id'), 'GET /v1/users/:id');
  t.equal(spanNameOf('GET', null), 'GET');
  t.equal(spanNameOf('PROPFIND', '/a'), 'HTTP /a');
  t.end();
});

t.test('every usual method goes by its own name', async (t) => {
  for (const method of ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE']) {
    t.same(methodAttributes(method), { 'http.request.method': method });
    t.equal(spanNameOf(method, '/a/:id'), `${method} /a/:id`);
  }
});
