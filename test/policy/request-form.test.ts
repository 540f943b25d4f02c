import t from 'tap';
import type { Facts } from '../../src/policy/facts.ts';
import { readHeaders } from '../../src/policy/header-facts.ts';
import { checkPlainForm, checkRequestForm } from '../../src/policy/request-form.ts';
import type { RefusalCode } from '../../src/refusal.ts';

interface Form {
  readonly method?: string;
  readonly target?: string;
  readonly httpVersion?: string;
  /** In place of `Host: api.test`. */
  readonly host?: readonly string[];
  readonly fields?: readonly string[];
}

function codeOf(
  { method = 'POST', target = '/a', httpVersion = '1.1', host, fields = [] }: Form,
  check = checkRequestForm,
): RefusalCode | 'passed' {
  const rawHeaders = [...(host ?? ['Host', 'api.test']), ...fields];
  const headers = readHeaders(rawHeaders);
  const peer = { text: 'unknown', address: null, isUnix: false };
  const facts: Facts = { method, target, httpVersion, rawHeaders, headers, peer, secure: false, now: 0 };
  return check(facts)?.code ?? 'passed';
}

// In this place: later ones find a Host that was judged before.
t.equal(codeOf({ host: ['Host', ''] }), 'malformed_request', 'the first Host of all is empty');

type Case = readonly [name: string, form: Form];

const PASSED: readonly Case[] = [
  ['an offer of h2c', { fields: ['Upgrade', 'h2c', 'Connection', 'Upgrade, HTTP2-Settings', 'HTTP2-Settings', ''] }],
  ['a plain request', {}],
  ['HTTP/1.0 with Host', { httpVersion: '1.0' }],
  ['GET', { method: 'GET' }],
  ['GET with Content-Length: 0', { method: 'GET', fields: ['Content-Length', '0'] }],
  ['OPTIONS', { method: 'OPTIONS' }],
  ['M-SEARCH', { method: 'M-SEARCH' }],
  ['a body with a length', { fields: ['Content-Length', '10'] }],
  ['a chunked body', { fields: ['Transfer-Encoding', 'chunked'] }],
  ['DELETE with a body', { method: 'DELETE', fields: ['Content-Length', '2'] }],
  ['Expect: 100-continue', { fields: ['Expect', '100-Continue'] }],
  ['a query with odd characters', { target: '/a?x=//..;\\{}|"' }],
  ['obs-text and tabs in a value', { fields: ['X-Name', 'a\tb\u00ff'] }],
  ['1000 fields', { fields: Array.from({ length: 999 }, () => ['X-A', '1']).flat() }],
  ['an unrelated name with underscores', { fields: ['content_type', 'a', 'X.Y', 'b'] }],
];
for (const [name, form] of PASSED) t.equal(codeOf(form), 'passed', `passed: ${name}`);

const REFUSED: Readonly<Partial<Record<RefusalCode, readonly Case[]>>> = {
  version_not_supported: [
    ['HTTP/0.9', { httpVersion: '0.9', host: [] }],
    ['HTTP/2.0', { httpVersion: '2.0', method: 'PRI', target: '*' }],
    ['HTTP/1.2', { httpVersion: '1.2' }],
    ['HTTP/1.10', { httpVersion: '1.10' }],
  ],
  method_not_supported: [
    ['TRACE', { method: 'TRACE' }],
    ['CONNECT', { method: 'CONNECT', target: 'api.test:443' }],
  ],
  not_implemented: [
    ['Upgrade: websocket', { fields: ['Upgrade', 'websocket', 'Connection', 'upgrade'] }],
    ['Upgrade without Connection', { fields: ['upgrade', 'websocket'] }],
    ['h2c or another', { fields: ['Upgrade', 'h2c, websocket'] }],
    ['gzip, chunked', { fields: ['Transfer-Encoding', 'gzip, chunked'] }],
    ['xchunked, chunked', { fields: ['Transfer-Encoding', 'xchunked ,chunked'] }],
  ],
  expectation_failed: [
    ['another expectation', { fields: ['Expect', '200-ok'] }],
    ['an empty expectation', { fields: ['Expect', ''] }],
    ['two expectations', { fields: ['Expect', '100-continue', 'Expect', 'x'] }],
    ['a list of expectations', { fields: ['Expect', '100-continue, x'] }],
  ],
  header_fields_too_large: [['1001 fields', { fields: Array.from({ length: 1000 }, () => ['X-A', '1']).flat() }]],
  malformed_request: [
    ['a method in lower case', { method: 'trace' }],
    ['an empty method', { method: '' }],
    ['a method with a space', { method: 'GET X' }],
    ['absolute form', { target: 'http://api.test/a' }],
    ['authority form', { target: 'api.test:80' }],
    ['asterisk form', { target: '*', method: 'OPTIONS' }],
    ['an empty target', { target: '' }],
    ['a fragment', { target: '/a#b' }],
    ['a fragment in the query', { target: '/a?b#c' }],
    ['a space in the target', { target: '/a b' }],
    ['a tab in the target', { target: '/a\tb' }],
    ['NUL in the target', { target: '/a\0' }],
    ['a line feed in the target', { target: '/a\n' }],
    ['DEL in the target', { target: '/a\x7f' }],
    ['a byte beyond ASCII in the target', { target: '/\u00e9' }],
    ['a byte beyond ASCII in the query', { target: '/a?\u00e9' }],

    ['no Host', { host: [] }],
    ['two Hosts', { host: ['Host', 'api.test', 'host', 'api.test'] }],
    ['a name with a space', { fields: ['Content-Length ', '0'] }],
    ['an empty name', { fields: ['', 'x'] }],
    ['a name beyond ASCII', { fields: ['X-\u00e9', 'x'] }],
    ['CR in a value', { fields: ['X-A', 'a\rb'] }],
    ['LF in a value', { fields: ['X-A', 'a\nX-B: b'] }],
    ['NUL in a value', { fields: ['X-A', 'a\0'] }],
    ['a folded value', { fields: ['X-A', 'a\r\n b'] }],

    ['length and coding', { fields: ['Content-Length', '1', 'Transfer-Encoding', 'chunked'] }],
    ['coding and a length of 0', { fields: ['Transfer-Encoding', 'chunked', 'Content-Length', '0'] }],
    ['two equal lengths', { fields: ['Content-Length', '1', 'content-length', '1'] }],
    ['a list of lengths', { fields: ['Content-Length', '1, 1'] }],
    ['a signed length', { fields: ['Content-Length', '+1'] }],
    ['a negative length', { fields: ['Content-Length', '-1'] }],
    ['a length with leading zeros', { fields: ['Content-Length', '01'] }],
    ['a length of 00', { fields: ['Content-Length', '00'] }],
    ['a hexadecimal length', { fields: ['Content-Length', '0x1'] }],
    ['a length with a point', { fields: ['Content-Length', '1.0'] }],
    ['an empty length', { fields: ['Content-Length', ''] }],
    ['a length past 2^53', { fields: ['Content-Length', '9007199254740993'] }],
    ['a length of full-width digits', { fields: ['Content-Length', '\uff11'] }],
    ['Transfer-Encoding in HTTP/1.0', { httpVersion: '1.0', fields: ['Transfer-Encoding', 'chunked'] }],
    ['two codings', { fields: ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'] }],
    ['chunked twice', { fields: ['Transfer-Encoding', 'chunked, chunked'] }],
    ['Chunked, chunked', { fields: ['Transfer-Encoding', 'Chunked, chunked'] }],
    ['Chunked', { fields: ['Transfer-Encoding', 'Chunked'] }],
    ['chunked with a space', { fields: ['Transfer-Encoding', 'chunked '] }],
    ['chunked with a tab', { fields: ['Transfer-Encoding', '\tchunked'] }],
    ['chunked with a parameter', { fields: ['Transfer-Encoding', 'chunked;q=1'] }],
    ['quoted chunked', { fields: ['Transfer-Encoding', '"chunked"'] }],
    [', chunked', { fields: ['Transfer-Encoding', ', chunked'] }],
    ['chunked,', { fields: ['Transfer-Encoding', 'chunked,'] }],
    ['chunked, gzip', { fields: ['Transfer-Encoding', 'chunked, gzip'] }],
    ['gzip alone', { fields: ['Transfer-Encoding', 'gzip'] }],
    ['identity', { fields: ['Transfer-Encoding', 'identity'] }],
    ['an empty coding', { fields: ['Transfer-Encoding', ''] }],
    ['an empty coding with a length', { fields: ['Transfer-Encoding', '', 'Content-Length', '1'] }],
    ['Transfer_Encoding', { fields: ['Transfer_Encoding', 'chunked'] }],
    ['transfer.encoding', { fields: ['transfer.encoding', 'chunked'] }],
    ['CONTENT_LENGTH', { fields: ['CONTENT_LENGTH', '1'] }],
    ['Content.Length', { fields: ['Content.Length', '1'] }],
  ],
};
for (const [code, cases] of Object.entries(REFUSED))
  for (const [name, form] of cases) t.equal(codeOf(form), code, `${code}: ${name}`);

/** It can be passed on as it came, where somebody is known to take it. */
const NOT_PLAIN: readonly Case[] = [
  ['no Host in HTTP/1.0', { host: [], httpVersion: '1.0' }],
  ['two Authorizations', { fields: ['Authorization', 'Bearer a', 'AUTHORIZATION', 'Bearer a'] }],
  ['two Content-Types', { fields: ['Content-Type', 'a/b', 'content-type', 'a/b'] }],
  ['a body on GET', { method: 'GET', fields: ['Content-Length', '1'] }],
  ['a body on HEAD', { method: 'HEAD', fields: ['Content-Length', '1'] }],
  ['a chunked body on GET', { method: 'GET', fields: ['Transfer-Encoding', 'chunked'] }],
];
for (const [name, form] of NOT_PLAIN) {
  t.equal(codeOf(form), 'passed', `to be passed on: ${name}`);
  t.equal(codeOf(form, checkPlainForm), 'malformed_request', `not plain: ${name}`);
}
for (const [name, form] of PASSED) t.equal(codeOf(form, checkPlainForm), 'passed', `plain: ${name}`);

const HOSTS = [
  'api.test',
  'API.test.',
  'localhost:8080',
  'my_service:1',
  'a',
  '192.0.2.1',
  '192.0.2.1:80',
  '[2001:db8::1]',
  '[::1]:65535',
  '1a.test',
  'x--y.test',
  `${'a'.repeat(63)}.test`,
];
for (const host of HOSTS) t.equal(codeOf({ host: ['Host', host] }), 'passed', `Host ${host} passes`);

const NO_HOSTS = [
  ['', ' ', '.', '..', 'a..b', '.a', 'a b', 'a,b', 'a, b', 'user@a', 'user:pw@a', 'a/b', 'a?b', 'a#b', 'a\\b', 'a%2eb'],
  ['a:', 'a:80:80', 'a:-1', 'a:65536', 'a:8o', 'a: 80', ':80', 'a:+80', 'a:000080', 'a;b', "a'b", 'a"b', 'a$b', 'a&b'],
  ['[::1', '::1', '[::1]x', '[::1]:', '[192.0.2.1]', '[fe80::1%eth0]', '[fe80::1%25eth0]', '[]', '[v1.a]', '[::1]]'],
  ['1', '127.1', '0x7f.1', '0177.0.0.1', '192.0.2.256', '192.0.2.1.', '1.2.3.4.5', 'a.0x1', 'a.1'],
  ['http://a', '\u00e9.test', 'a\0', 'a\tb', '*', 'a'.repeat(261)],
].flat();
for (const host of NO_HOSTS)
  t.equal(codeOf({ host: ['Host', host] }), 'malformed_request', `Host ${JSON.stringify(host)} is malformed`);

t.test('a Host is judged as if it were the first, whatever came before it', async (t) => {
  const bad = [
    'a..b',
    'a b',
    'user@api.test',
    '0x7f.1',
    'api.test:',
    'api.test:99999',
    '[::1',
    `${'a'.repeat(300)}.test`,
  ];
  for (const host of bad)
    for (const before of [null, 'api.test', host]) {
      if (before !== null) codeOf({ host: ['Host', before] });
      t.equal(codeOf({ host: ['Host', host] }), 'malformed_request', `${host} after ${before}`);
      t.equal(codeOf({ host: ['Host', host] }), 'malformed_request', `${host} again`);
    }
  t.equal(codeOf({ host: ['Host', 'api.test'] }), 'passed');
});

t.test('just within the bounds, and just beyond them', async (t) => {
  const host = `${'a'.repeat(255)}.test`;
  t.equal(host.length, 260);
  t.equal(codeOf({ host: ['Host', host] }), 'passed');
  t.equal(codeOf({ host: ['Host', `a${host}`] }), 'malformed_request');
  t.equal(codeOf({ host: ['Host', 'a:80'] }), 'passed', 'a name of one letter');
  t.equal(codeOf({ method: 'X' }), 'passed', 'a method of one letter');
  t.equal(codeOf({ fields: ['Content-Type', 'a/b'] }), 'passed', 'one Content-Type');
  t.equal(codeOf({ fields: ['Content-Length', String(Number.MAX_SAFE_INTEGER)] }), 'passed');
});

t.test('each part of a Host counts', async (t) => {
  for (const host of ['!a:80', '!a.test', '[::1]x80', '[::1]x', '0x', '0X', 'a.0x', '[::1', '[::1:80'])
    t.equal(codeOf({ host: ['Host', host] }), 'malformed_request', host);
});

t.test('a list of codings is a list of what is not served only if it ends in one chunked', async (t) => {
  for (const coding of ['gzip, br', 'gzip, chunked, chunked', 'gzip, , chunked'])
    t.equal(codeOf({ fields: ['Transfer-Encoding', coding] }), 'malformed_request', coding);
  t.equal(codeOf({ fields: ['Transfer-Encoding', 'gzip, br, chunked'] }), 'not_implemented');
});

t.test('the operator reads whether Host is missing or repeated', async (t) => {
  const why = (rawHeaders: string[]): string | undefined => {
    const headers = readHeaders(rawHeaders);
    const peer = { text: 'unknown', address: null, isUnix: false };
    const form = { method: 'GET', target: '/', httpVersion: '1.1', rawHeaders, headers, peer, secure: false, now: 0 };
    return checkRequestForm(form)?.why;
  };
  t.equal(why([]), 'Host is missing');
  t.equal(why(['Host', 'a', 'Host', 'a']), 'Host is repeated');
});
