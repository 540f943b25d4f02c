import t from 'tap';
import { request, runAttacks, type Attack } from '../support/attack.ts';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';

const SERVER = 'secret-of-the-server-key';
const WEB = 'secret-of-the-web-key';
const AUTH = `Authorization: Bearer ${SERVER}`;
const HOST = 'Host: a';
const EVENT = '{"name":"purchase"}';

const get = (target: string, version = 'HTTP/1.1'): string => request(`GET ${target} ${version}`, [HOST, AUTH]);
const path = (target: string, status: number, forwarded?: string): Attack => ({
  name: `path ${target}`,
  bytes: get(target),
  answers: [status],
  ...(forwarded === undefined ? {} : { forwarded: [`GET ${forwarded}`] }),
});
/** A key limited to specific events, on a spelling of an event path: whatever is said, nothing disallowed goes on. */
const webPost = (target: string, status: number): Attack => ({
  name: `event path ${target} with a restricted key`,
  bytes: request(
    `POST ${target} HTTP/1.1`,
    [HOST, `Authorization: Bearer ${WEB}`, 'Content-Type: application/json'],
    EVENT,
  ),
  answers: [status],
});
const line = (text: string, status: number, closes = true): Attack => ({
  name: `request line ${JSON.stringify(text)}`,
  bytes: `${text}\r\n${HOST}\r\n${AUTH}\r\n\r\n`,
  answers: [status],
  closes,
});

const AMBIGUOUS_PATHS = [
  '/.',
  '/..',
  '/../admin',
  '/a/../admin',
  '/a/./b',
  '/a/..',
  '/a/.',
  '/a/b/../../admin',
  '/profile/..;/admin',
  '/a/%2e%2e/admin',
  '/a/%2E%2E/admin',
  '/a/.%2e/admin',
  '/a/%2e./admin',
  '/a/%252e%252e/admin',
  '/a/%25%32%65%25%32%65/b',
  '/a%2fb',
  '/a%2Fb',
  '/a%252fb',
  '/a%25252fb',
  '/a%5cb',
  '/a%5C..%5Cb',
  '/a\\b',
  '/a\\..\\b',
  '/a%255cb',
  '/a/..%5cb',
  '//a',
  '/a//b',
  '/a///b',
  '//evil.example/a',
  '/%2f/a',
  '/a/%2f',
  '/profile//1',
  '/a;b',
  '/a;x=1/b',
  '/;/a',
  '/a%3bb',
  '/a%3Bb',
  '/a%00',
  '/a%00.json',
  '/%00',
  '/a%0a',
  '/a%0d%0aX: 1',
  '/a%09b',
  '/a%1fb',
  '/a%7fb',
  '/a%',
  '/a%2',
  '/a%zz',
  '/a%u0041',
  '/a%c0%af',
  '/a%c0%aeb',
  '/a%e0%80%af',
  '/a%f0%80%80%af',
  '/a%ff',
  '/a%ed%a0%80',
  '/a%c3',
  '/a.',
  '/a./b',
  '/a%20',
  '/a%20/b',
  '/a...',
  '/a%2e',
  '/a%e2%80%8b.',
  '/a/%ef%bc%8e%ef%bc%8e/b',
  '/a%ef%bc%8fb',
  '/a%e2%88%95b',
  '/a%e2%81%84b',
  '/a%25',
  '/a%2525',
  '/a%253b',
  '/a%2500',
  '/(S(x))/profile/1',
  '/profile/%28S(x)%29/1',
];

const MALFORMED_TARGETS = [
  'http://evil.example/a',
  'HTTP://a/a',
  'http:/a',
  'https://a',
  '*',
  'a',
  'a/b',
  '?a',
  '/a#b',
  '/a%23#b',
  '#',
  'file:///etc/passwd',
  'a:80',
  '@evil.example/a',
  '.',
  '..',
  '\\a',
  ':80/a',
];

const PASSED: readonly Attack[] = [
  path('/profile/%61%62c', 204, '/profile/abc'),
  path('/profile/a%7Eb', 204, '/profile/a~b'),
  path('/profile/a%3ab', 204, '/profile/a%3ab'),
  path('/profile/%C3%A9', 204, '/profile/%C3%A9'),
  path('/profile/1?x=/../..;%00%zz//\\', 204, '/profile/1?x=/../..;%00%zz//\\'),
  path('/profile/1?', 204, '/profile/1?'),
  path('/profile/1??a=1', 204, '/profile/1??a=1'),
  path('/profile/a%20b', 204, '/profile/a%20b'),
  path('/profile/a.b', 204, '/profile/a.b'),
  path('/profile/.well-known', 204, '/profile/.well-known'),
];

t.test('paths that two servers could read as two are refused, all others go on in one form', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } } },
    keys: [
      { id: 'server', type: 'read-write', secret: SERVER },
      { id: 'web', type: 'write-only', secret: WEB, allowedEvents: ['login'] },
    ],
  });
  await runAttacks(t, { port: postern.port, backend }, [
    ...AMBIGUOUS_PATHS.map((target) => path(target, 400)),
    ...MALFORMED_TARGETS.map((target) => ({ ...path(target, 400), closes: true })),
    ...PASSED,
    ...[
      '/EVENT/ingest',
      '/Event/Ingest',
      '/event/ingest/',
      '/event/%69ngest',
      '/EVENT/INGEST/',
      '/%65%76%65%6e%74/ingest',
    ].map((target) => webPost(target, 403)),
    ...[
      '/event/in%67est?x=1',
      '/event/ingest?_method=',
      '/event/%C4%B1ngest',
      '/event/inge%C5%BFt',
      '/event/%EF%BD%89ngest',
    ].map((target) => webPost(target, 403)),
    ...[
      '/event//ingest',
      '/event/./ingest',
      '/event/ingest;x',
      '/event/ingest%2f',
      '/event\\ingest',
      '/event/ingest%00',
      '/event/ingest.',
    ].map((target) => webPost(target, 400)),
    ...[
      '/ingest',
      '/event',
      '/event/ingest/other',
      '/event/ingests',
      '/eventingest',
      '/v1/event/ingest',
      '/products',
    ].map((target) => webPost(target, 403)),
  ]);
});

t.test('methods, versions and request lines that are not plain HTTP are refused', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } } },
    keys: [
      { id: 'server', type: 'read-write', secret: SERVER },
      { id: 'web', type: 'write-only', secret: WEB, allowedEvents: ['login'] },
    ],
  });
  const withWebKey = (method: string, target = '/profile', fields: readonly string[] = []): Attack => ({
    name: `${method} ${target} ${fields.join(', ')} with a write-only key`,
    bytes: request(`${method} ${target} HTTP/1.1`, [HOST, `Authorization: Bearer ${WEB}`, ...fields]),
    answers: [403],
  });
  await runAttacks(t, { port: postern.port, backend }, [
    line('TRACE / HTTP/1.1', 405),
    line('CONNECT a:80 HTTP/1.1', 405),
    line('CONNECT / HTTP/1.1', 405),
    line('get / HTTP/1.1', 501),
    line('Get / HTTP/1.1', 501),
    line('post / HTTP/1.1', 501),
    line('FOO / HTTP/1.1', 501),
    line('GET\t/ HTTP/1.1', 501),
    line('GET /', 505),
    line('GET / HTTP/0.9', 505),
    line('GET / HTTP/2.0', 505),
    line('GET / HTTP/1.2', 505),
    line('GET / HTTP/3.0', 505),
    line('GET / HTTP/1.10', 400),
    line('GET / HTTP/01.1', 505),
    line('GET / HTTP/1.1 ', 400),
    line('GET / http/1.1', 400),
    line('GET / ICE/1.0', 400),
    line('PUT / RTSP/1.0', 400),
    line('GET / HTTPS/1.1', 400),
    line('PRI * HTTP/2.0', 505),
    line('GET /a b HTTP/1.1', 400),
    line('GET /a\x00 HTTP/1.1', 400),
    line('GET /a\x7f HTTP/1.1', 400),
    line('GET /a\xff HTTP/1.1', 400),
    line('GET /\xc3\xa9 HTTP/1.1', 400),
    line('GET / HTTP/1.1\n', 400),
    line('\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03', 501),
    line('PROXY TCP4 203.0.113.7 127.0.0.1 1 80', 400),
    {
      name: 'bare LF ends the request line',
      bytes: `GET / HTTP/1.1\n${HOST}\r\n${AUTH}\r\n\r\n`,
      answers: [400],
      closes: true,
    },
    {
      name: 'bare CR ends the request line',
      bytes: `GET / HTTP/1.1\r${HOST}\r\n${AUTH}\r\n\r\n`,
      answers: [400],
      closes: true,
    },
    ...['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PURGE', 'PROPFIND', 'LINK', 'QUERY'].map((method) =>
      withWebKey(method),
    ),
    withWebKey('POST', '/profile?_method=DELETE', ['Content-Length: 0']),
    withWebKey('POST', '/profile?a=1&_METHOD=put', ['Content-Length: 0']),
    withWebKey('POST', '/profile?%5fmethod=DELETE', ['Content-Length: 0']),
    withWebKey('POST', '/profile?a;_method=DELETE', ['Content-Length: 0']),
    withWebKey('POST', '/profile?_method[]=DELETE', ['Content-Length: 0']),
    withWebKey('POST', '/profile?.method=DELETE', ['Content-Length: 0']),
    withWebKey('POST', '/profile?X-HTTP-Method-Override=DELETE', ['Content-Length: 0']),
    withWebKey('POST', '/profile?a=1&x-http-method%2Doverride=DELETE', ['Content-Length: 0']),
    withWebKey('POST', '/profile?_HttpMethod=PATCH', ['Content-Length: 0']),
    ...['OPTIONS', 'PURGE', 'PROPFIND', 'MKCOL', 'SEARCH', 'M-SEARCH', 'REPORT', 'UNLINK'].map((method) => ({
      name: `${method} with a read-write key`,
      bytes: request(`${method} /profile HTTP/1.1`, [HOST, AUTH]),
      answers: [403],
    })),
    { name: 'GET in HTTP/1.0', bytes: get('/profile/1', 'HTTP/1.0'), answers: [204], forwarded: ['GET /profile/1'] },
    {
      name: 'empty lines before the request line',
      bytes: `\r\n\r\n${get('/profile/1')}`,
      answers: [204],
      forwarded: ['GET /profile/1'],
    },
  ]);
});
