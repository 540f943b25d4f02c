import * as fc from 'fast-check';
import t from 'tap';
import { foldFieldName } from '../../src/lib/field-name.ts';
import { ruleOf } from '../../src/upstream/field-rules.ts';

void t.test('names of Postern, of the hop and of other judges never reach the backend, in any spelling', (t) => {
  const names = [
    'Connection Keep-Alive Proxy-Connection Proxy-Authenticate Proxy-Authorization TE Upgrade Trailer Transfer-Encoding',
    'HTTP2-Settings Expect Host Content-Length Proxy',
    'X-Original-URL X-Rewrite-URL X-Forwarded-Uri X-Forwarded-Prefix Forwarded X-Real-IP True-Client-IP CF-Connecting-IP',
    'X-Client-IP X-Cluster-Client-IP X-HTTP-Method-Override X-HTTP-Method X-Method-Override',
    'X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host X-Request-Id',
    'Postern-Key-Id Postern-Key-Type Postern-Anything Postern-',
  ].flatMap((line) => line.split(' '));
  for (const name of names) {
    const spellings = [name, name.toLowerCase(), name.toUpperCase(), name.replaceAll('-', '_'), name.replace('-', '.')];
    for (const spelling of spellings) t.equal(ruleOf(spelling).toUpstream, 'drop', spelling);
  }
  t.end();
});

void t.test('what was judged passes as itself, and its look-alikes do not', (t) => {
  for (const name of ['Content-Type', 'Sec-Fetch-Site', 'Cache-Control', 'Access-Control-Request-Method']) {
    t.equal(ruleOf(name).toUpstream, 'pass', name);
    t.equal(ruleOf(name.replace('-', '_')).toUpstream, 'drop', `${name} with _`);
    t.equal(ruleOf(name.replace('-', '.')).toUpstream, 'drop', `${name} with .`);
    t.equal(ruleOf(name.replace('-', '~')).toUpstream, 'drop', `${name} with ~`);
  }
  t.equal(ruleOf('Origin').toUpstream, 'pass');
  t.equal(ruleOf('aUTHORIZATION').toUpstream, 'authorization');
  t.equal(ruleOf('Content-Encoding').toUpstream, 'body');
  t.equal(ruleOf('content_encoding').toUpstream, 'drop');
  t.end();
});

void t.test('other names pass, whatever characters they have', (t) => {
  for (const name of [
    'traceparent',
    'tracestate',
    'X_Tenant',
    'X-Forwarded-Port',
    'Accept',
    'Cookie',
    'X-Posterns',
    'X-Postern-Id',
  ])
    t.equal(ruleOf(name).toUpstream, 'pass', name);
  t.end();
});

void t.test('end-to-end fields may not be nominated by Connection', (t) => {
  for (const name of [
    'Content-Type',
    'content-language',
    'Authorization',
    'Origin',
    'Cache-Control',
    'Cookie',
    'Set-Cookie',
    'Vary',
  ])
    t.notOk(ruleOf(name).mayBeNominated, name);
  t.ok(ruleOf('X-Hop').mayBeNominated);
  t.end();
});

void t.test('framing, routing, cookies and content format may not come as trailers', (t) => {
  for (const name of [
    'Content-Length',
    'Transfer-Encoding',
    'Set-Cookie',
    'Content-Type',
    'Location',
    'Trailer',
    'Postern-X',
  ])
    t.notOk(ruleOf(name).mayTrail, name);
  for (const name of ['Repr-Digest', 'Content-Digest', 'Server-Timing', 'grpc-status'])
    t.ok(ruleOf(name).mayTrail, name);
  t.end();
});

void t.test('the rule of a name does not depend on its letter case, nor on what else was asked for', (t) => {
  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,80}$/);
  fc.assert(
    fc.property(token, (name) => {
      const { name: lower, ...rule } = ruleOf(name);
      t.equal(lower, name.toLowerCase());
      t.same(ruleOf(name.toUpperCase()), { name: lower, ...rule });
      t.equal(rule.folded, foldFieldName(name));
    }),
  );
  const before = ruleOf('X-Request-Id');
  for (let i = 0; i < 10_000; i += 1) ruleOf(`X-Invented-${i}`);
  t.same(ruleOf('X-Request-Id'), before);
  t.end();
});

void t.test('invented names do not make memory grow', (t) => {
  // A remembered rule is the same object; one that had to be judged again is not.
  const first = ruleOf('X-First-Invented');
  t.equal(ruleOf('X-First-Invented'), first);
  for (let i = 0; i < 2_048; i += 1) ruleOf(`X-Flood-${i}`);
  t.not(ruleOf('X-First-Invented'), first);
  const long = `X-${'a'.repeat(64)}`;
  t.not(ruleOf(long), ruleOf(long));
  t.end();
});

void t.test('each field that is of no use or harmful behind a body is named by its whole name', async (t) => {
  const never = [
    ...[
      'host',
      'content-length',
      'content-type',
      'content-encoding',
      'content-range',
      'cache-control',
      'expires',
      'age',
    ],
    ...['date', 'vary', 'location', 'retry-after', 'authorization', 'www-authenticate', 'set-cookie'],
  ];
  for (const name of never) {
    t.equal(ruleOf(name).mayTrail, false, name);
    t.equal(ruleOf(name.toUpperCase()).mayTrail, false, name.toUpperCase());
    t.equal(ruleOf(`${name}-x`).mayTrail, true, `${name}-x`);
  }
});

void t.test('each field that must not be named in Connection', async (t) => {
  const judged = [
    ...['authorization', 'content-type', 'content-encoding', 'origin', 'sec-fetch-site', 'cache-control'],
    ...['access-control-request-method', 'access-control-request-headers'],
    ...['cookie', 'set-cookie', 'vary', 'www-authenticate', 'date', 'content-anything'],
  ];
  for (const name of judged) t.equal(ruleOf(name).mayBeNominated, false, name);
  for (const name of ['x-hop', 'cookies', 'origins', 'contents']) t.equal(ruleOf(name).mayBeNominated, true, name);
});

void t.test('what describes the body as it was sent is bound to it, and a look-alike is dropped', async (t) => {
  for (const name of ['content-encoding', 'content-md5', 'digest', 'content-digest', 'repr-digest']) {
    t.equal(ruleOf(name).toUpstream, 'body', name);
    if (name.includes('-')) t.equal(ruleOf(name.replace('-', '_')).toUpstream, 'drop', name);
  }
});
