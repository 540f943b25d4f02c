import * as fc from 'fast-check';
import t from 'tap';
import { foldFieldName } from '../../src/lib/header-list.ts';
import { ruleOf } from '../../src/upstream/field-rules.ts';
import { cutFromPacket, heldAfter } from '../support/held-memory.ts';

void t.test('names of Postern, of the hop and of other judges never reach the backend, in any spelling', (t) => {
  const names = [
    'Connection Keep-Alive Proxy-Connection Proxy-Authenticate Proxy-Authorization TE Upgrade Trailer Transfer-Encoding',
    'HTTP2-Settings Expect Host Content-Length Proxy',
    'X-Original-URL X-Rewrite-URL X-Forwarded-Uri X-Forwarded-Prefix Forwarded X-Real-IP True-Client-IP CF-Connecting-IP',
    'X-Client-IP X-Cluster-Client-IP',
    'X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host X-Request-Id',
    'X-Forwarded-Ssl X-Forwarded-Scheme X-Forwarded-Port X-Forwarded-Server X-Forwarded-Protocol X-Forwarded-By',
    'X-Forwarded-Path X-Forwarded-PathBase X-Forwarded-Method X-Forwarded Forwarded-For Forwarded-Host X-Forwarded-Invented',
    'X-Original-Forwarded-For X-Vercel-Forwarded-For CloudFront-Forwarded-Proto X-Forwarded-Client-IP',
    'Front-End-Https X-Scheme X-Url-Scheme X-Arr-Ssl X-Proxied-Https WL-Proxy-SSL CF-Visitor HTTPS HTTPS-From-LB Scheme',
    'X-Host X-Original-Host X-HTTP-Host-Override Disguised-Host X-Original-Proto X-Original-For X-Original-Prefix',
    'Client-IP X-Remote-Addr Remote-Addr X-Remote-IP X-Originating-IP X-ProxyUser-Ip X-Real-Client-IP RealIP X-ClientIP',
    'Fastly-Client-IP Fly-Client-IP DO-Connecting-IP CF-Connecting-IPv6 CF-Pseudo-IPv4 Incap-Client-IP Cluster-Client-IP',
    'WL-Proxy-Client-IP Proxy-Client-IP Ali-CDN-Real-IP X-Appengine-User-Ip X-Appengine-Remote-Addr X-Azure-ClientIP',
    'X-Azure-SocketIP X-Envoy-External-Address CloudFront-Viewer-Address X-NF-Client-Connection-IP Cdn-Src-Ip',
    'X-Script-Name Script-Name Path-Info X-Original-Uri X-Original-Path X-Envoy-Original-Path X-Replaced-Path',
    'X-Override-URL X-Rewrite-URI X-Original-Scheme X-Original-Port X-Original-Query X-Remote-Host Remote-Host',
    'X-Original-Method X-Sendfile-Type X-Accel-Mapping',
    'HTTP-Host HTTP-X-Forwarded-For HTTP-Client-IP HTTP-Forwarded HTTP-X-Real-IP HTTP-Authorization HTTP-Postern-Key-Id',
    'HTTP-Content-Type HTTP-Origin HTTP-HTTPS HTTP-Proxy HTTP-Content-Encoding',
    'X-Traversal-Path Request-Base X-Request-Base X-VHM-Root X-VHM-Host X-Invoke-Path X-Invoke-Query X-Matched-Path',
    'Proxy-Auth-Cert Proxy-SSL-Id X-Https X-Proto SSL-Offloaded Fastly-SSL Coming-From X-Coming-From',
    'X-Middleware-Subrequest AspFilterSessionId $WSRA $WSRH $WSSC $WSSN $WSSP $WSIS HTTP-$WSRA',
    'X-ProxyScheme X-ProxyHost X-ProxyPort X-ProxyContextPath X-Client-Scheme X-Client-Proto From-Https X-Ingress-Path',
    'X-Now-Route-Matches X-Astro-Path X-Astro-Locals X-ApiGateway-Event X-ApiGateway-Context HTTP-X-Client-Scheme',
    'Postern-Key-Id Postern-Key-Type Postern-Anything Postern-',
  ].flatMap((line) => line.split(' '));
  for (const name of names) {
    const spellings = [name, name.toLowerCase(), name.toUpperCase(), name.replaceAll('-', '_'), name.replace('-', '.')];
    for (const spelling of spellings) t.equal(ruleOf(spelling).toUpstream, 'drop', spelling);
  }
  t.end();
});

void t.test('what stands for another method is told from all else, in any spelling', (t) => {
  const names = [
    'X-HTTP-Method-Override X-HTTP-Method X-Method-Override X-HTTP-Method-Whatever HTTP-Method-Override Method-Override',
    'HTTP-X-HTTP-Method-Override x_http_method_override X.HTTP.Method',
  ].flatMap((line) => line.split(' '));
  for (const name of names) t.equal(ruleOf(name).toUpstream, 'method', name);
  for (const name of ['X-HTTP-Methods', 'X-Method', 'Method-Overrides']) t.equal(ruleOf(name).toUpstream, 'pass', name);
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
  t.equal(ruleOf('Content-Encoding').toUpstream, 'coding');
  t.equal(ruleOf('content_encoding').toUpstream, 'drop');
  t.equal(ruleOf('Content-Transfer-Encoding').toUpstream, 'coding', 'what mail calls a coding');
  t.equal(ruleOf('content_transfer_encoding').toUpstream, 'drop');
  for (const name of ['X-Request-Id-Base', 'X-Middleware', 'X-WSRA', '$WSRAX', 'X-Protocol', 'X-User-IP'])
    t.equal(ruleOf(name).toUpstream, 'pass', name);
  t.end();
});

/** Names that a backend could read as this one. */
const lookAlikes = (name: string): string[] =>
  ['_', '.', '~', '!'].map((sign) => name.replaceAll('-', sign)).concat(name.replace('-', '_').toUpperCase());

void t.test('each name that is judged, or that describes the body, passes in its own spelling alone', (t) => {
  const judged = [
    'Content-Type',
    'Sec-Fetch-Site',
    'Cache-Control',
    'Access-Control-Request-Method',
    'Access-Control-Request-Headers',
  ];
  for (const name of judged) t.equal(ruleOf(name).toUpstream, 'pass', name);
  t.equal(ruleOf('Content-Encoding').toUpstream, 'coding');
  const bound = ['Content-MD5', 'Content-Digest', 'Repr-Digest'];
  for (const name of [...bound, 'Digest']) t.equal(ruleOf(name).toUpstream, 'body', name);
  for (const name of [...judged, ...bound])
    for (const spelling of lookAlikes(name)) t.equal(ruleOf(spelling).toUpstream, 'drop', spelling);
  t.end();
});

void t.test('what a backend says of its connection, or in Postern\u2019s name, stays behind, each name of it', (t) => {
  const dropped = [
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authenticate',
    'Proxy-Authorization',
    'TE',
    'Transfer-Encoding',
    'Upgrade',
    'HTTP2-Settings',
    'Postern-Key-Id',
    'Postern-Removed-Events',
    'postern-',
  ];
  for (const name of dropped) t.equal(ruleOf(name).toClient, 'drop', name);
  for (const name of ['Access-Control-Allow-Origin', 'access_control_allow_origin', 'Access-Control-Max-Age'])
    t.equal(ruleOf(name).toClient, 'cors', name);
  t.equal(ruleOf('Trailer').toClient, 'trailer');
  for (const name of ['Set-Cookie', 'Content-Length', 'Vary', 'X-Request-Id', 'Server'])
    t.equal(ruleOf(name).toClient, 'pass', name);
  t.end();
});

void t.test('no name may be nominated, or may trail, that a recipient needs before the content: each of them', (t) => {
  const kept = [
    'Authorization',
    'Content-Type',
    'Content-Encoding',
    'Origin',
    'Sec-Fetch-Site',
    'Cache-Control',
    'Access-Control-Request-Method',
    'Access-Control-Request-Headers',
    'Cookie',
    'Set-Cookie',
    'Vary',
    'WWW-Authenticate',
    'Date',
    'Content-Anything',
  ];
  for (const name of kept) t.equal(ruleOf(name).mayBeNominated, false, name);
  const early = [
    'Host',
    'Content-Length',
    'Content-Type',
    'Content-Encoding',
    'Content-Range',
    'Cache-Control',
    'Expires',
    'Age',
    'Date',
    'Vary',
    'Location',
    'Retry-After',
    'Authorization',
    'WWW-Authenticate',
    'Set-Cookie',
    'Connection',
    'Keep-Alive',
    'TE',
    'Transfer-Encoding',
    'Upgrade',
    'Access-Control-Allow-Origin',
    'Trailer',
  ];
  for (const name of early) t.equal(ruleOf(name).mayTrail, false, name);
  t.end();
});

void t.test('other names pass, whatever characters they have', (t) => {
  for (const name of ['traceparent', 'tracestate', 'X_Tenant', 'Accept', 'Cookie', 'X-Posterns', 'X-Postern-Id'])
    t.equal(ruleOf(name).toUpstream, 'pass', name);
  t.end();
});

void t.test('what only sounds like them passes, and so does the user whom somebody else checked', (t) => {
  for (const name of [
    'Remote-User',
    'X-Remote-User',
    'X-Forwarded-User',
    'X-Forwarded-Email',
    'X-Forwarded-Groups',
    'X-Forwarded-Preferred-Username',
    'X-Forwarded-Access-Token',
    'X-Forwarded-Client-Cert',
    'X-Auth-Request-User',
    'HTTP-Referer',
    'HTTP-X-Tenant',
    'Via',
    'X-Request-Start',
    'X-Client-Id',
    'X-Client-Version',
    'X-IP-Country',
    'X-Real-Name',
    'X-Forwardedness',
    'X-Method',
    'X-Hostname',
    'X-Schema',
    'Client-Ip-Version',
    'X-Original-Timestamp',
    'X-Requested-With',
    'X-Path',
    'X-User-Address',
    'CF-IPCountry',
    'X-Amzn-Trace-Id',
    'Idempotency-Key',
    'X-Scripts',
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
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(token, (name) => {
        const { name: lower, ...rule } = ruleOf(name);
        t.equal(lower, name.toLowerCase());
        t.same(ruleOf(name.toUpperCase()), { name: lower, ...rule });
        t.equal(rule.folded, foldFieldName(name));
      }),
    ),
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
    'host',
    'content-length',
    'content-type',
    'content-encoding',
    'content-range',
    'cache-control',
    'expires',
    'age',
    'date',
    'vary',
    'location',
    'retry-after',
    'authorization',
    'www-authenticate',
    'set-cookie',
  ];
  for (const name of never) {
    t.equal(ruleOf(name).mayTrail, false, name);
    t.equal(ruleOf(name.toUpperCase()).mayTrail, false, name.toUpperCase());
    t.equal(ruleOf(`${name}-x`).mayTrail, true, `${name}-x`);
  }
});

void t.test('each field that must not be named in Connection', async (t) => {
  const judged = [
    'authorization',
    'content-type',
    'content-encoding',
    'origin',
    'sec-fetch-site',
    'cache-control',
    'access-control-request-method',
    'access-control-request-headers',
    'cookie',
    'set-cookie',
    'vary',
    'www-authenticate',
    'date',
    'content-anything',
  ];
  for (const name of judged) t.equal(ruleOf(name).mayBeNominated, false, name);
  for (const name of ['x-hop', 'cookies', 'origins', 'contents']) t.equal(ruleOf(name).mayBeNominated, true, name);
});

void t.test('what describes the body as it was sent is bound to it, and a look-alike is dropped', async (t) => {
  t.equal(ruleOf('content_encoding').toUpstream, 'drop');
  for (const name of ['content-md5', 'digest', 'content-digest', 'repr-digest']) {
    t.equal(ruleOf(name).toUpstream, 'body', name);
    if (name.includes('-')) t.equal(ruleOf(name.replace('-', '_')).toUpstream, 'drop', name);
  }
});

void t.test('a name that is remembered keeps nothing of the head that it came in', async (t) => {
  const add = (from: number): number =>
    heldAfter(() => {
      for (let n = from; n < from + 1_000; n += 1) ruleOf(cutFromPacket(`X-Name-In-A-Head-${n}`));
    });
  // One half may find the memory full, and empty it.
  const held = Math.max(add(0), add(1_000));
  t.ok(held < 1_500_000, `${held} bytes for 1,000 names`);
});
