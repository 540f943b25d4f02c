import * as fc from 'fast-check';
import t from 'tap';
import { readHeaders, type HeaderSection } from '../../src/policy/header-facts.ts';

t.test('each field is read in any case, the first kept and repetitions counted', async (t) => {
  const facts = readHeaders([
    'hOST',
    'a',
    'Host',
    'b',
    'AUTHORIZATION',
    'x',
    'authorization',
    'y',
    'content-type',
    't',
    'Content-Type',
    'u',
    'Content-Encoding',
    'gzip',
    'content-encoding',
    'br',
    'Content-Length',
    '1',
    'Transfer-Encoding',
    'chunked',
    'Origin',
    'o',
    'origin',
    'p',
    'Sec-Fetch-Site',
    's',
    'Upgrade',
    'h2c, websocket',
    'Expect',
    '100-continue',
    'X-Forwarded-Proto',
    'https',
    'X-Request-Id',
    'r',
    'Access-Control-Request-Method',
    'POST',
    'Access-Control-Request-Headers',
    'a, b',
    'Transfer-Encoding',
    'gzip',
    'X-Request-Id',
    'second',
    'user-agent',
    'curl/8',
    'User-Agent',
    'other',
    'Traceparent',
    't1',
  ]);
  t.strictSame(facts, {
    fieldCount: 24,
    malformed: null,
    host: 'a',
    hostCount: 2,
    authorization: 'x',
    authorizationCount: 2,
    bearer: null,
    contentType: 't',
    contentTypeCount: 2,
    contentEncoding: 'gzip',
    contentEncodingCount: 2,
    contentLength: '1',
    contentLengthCount: 1,
    transferEncoding: 'chunked',
    transferEncodingCount: 2,
    origin: 'o',
    originCount: 2,
    secFetchSite: 's',
    upgrade: 'other',
    expect: '100-continue',
    expectCount: 1,
    forwardedFor: [],
    forwardedProto: 'https',
    requestId: 'r',
    connection: [],
    accessControlRequestMethod: 'POST',
    accessControlRequestHeaders: 'a, b',
    cacheControl: undefined,
    cookies: [],
    isConditional: false,
    namesUser: false,
    userAgent: 'curl/8',
    traceparent: 't1',
  });
  t.equal(readHeaders(['traceparent', 'a', 'TRACEPARENT', 'b']).traceparent, 'a, b', 'two of them are none');
  for (const [offer, upgrade] of Object.entries({
    h2c: 'h2c',
    H2C: 'h2c',
    websocket: 'other',
    'h2c, h2c': 'other',
    '': 'other',
  }))
    t.equal(readHeaders(['Upgrade', offer]).upgrade, upgrade, offer);
  t.equal(readHeaders(['Upgrade', 'websocket', 'Upgrade', 'h2c']).upgrade, 'other');
  t.equal(readHeaders(['Upgrade', 'h2c', 'Upgrade', 'h2c']).upgrade, 'h2c');
});

t.test('lists keep all their fields, in order', async (t) => {
  const facts = readHeaders([
    'X-Forwarded-For',
    '1',
    'Connection',
    'a',
    'x-forwarded-for',
    '2',
    'CONNECTION',
    'b',
    'Cache-Control',
    'no-cache',
    'cache-control',
    'max-age=0',
    'X-Forwarded-Proto',
    'https',
    'x-forwarded-proto',
    'http',
  ]);
  t.equal(facts.forwardedProto, 'https, http');
  t.same(facts.forwardedFor, ['1', '2']);
  t.same(facts.connection, ['a', 'b']);
  t.equal(facts.cacheControl, 'no-cache, max-age=0');
});

t.test('look-alikes and names of the same length are nobody\u2019s', async (t) => {
  const facts = readHeaders([
    'Hosts',
    'x',
    'Hist',
    'x',
    'X_Forwarded_For',
    'x',
    'authorizatiom',
    'x',
    'content_length',
    'x',
    'Orig\u0131n',
    'x',
  ]);
  t.match(facts, {
    fieldCount: 6,
    host: undefined,
    hostCount: 0,
    authorization: undefined,
    contentLength: undefined,
    origin: undefined,
    forwardedFor: [],
  });
});

t.test('no fields at all', async (t) => {
  t.match(readHeaders([]), { fieldCount: 0, hostCount: 0, upgrade: null });
});

t.test('the first malformed field is named, wherever it stands', async (t) => {
  const malformed = (...fields: string[]) => readHeaders(fields).malformed;
  t.equal(malformed('Host', 'a', 'X-A', 'b', 'x a', 'c'), 'a header field name is not a token');
  t.match(malformed('CONTENT_LENGTH', '1', 'x a', 'c'), /could be read as Content-Length/);
  t.match(malformed('Host', 'a\0', 'x a', 'c'), /control character/);
  t.match(malformed('X-A', 'a\rb'), /control character/);
  t.equal(malformed('X-A', 'a\tb\xff'), null);
});

const section = (rawHeaders: readonly string[], before: HeaderSection | null = null): HeaderSection => ({
  rawHeaders,
  headers: readHeaders(rawHeaders, before),
});

t.test('a credential that is shown again is the one that was read before', async (t) => {
  const first = section(['Host', 'a', 'Authorization', 'Bearer s3']);
  const again = section(['Authorization', 'Bearer s3', 'Host', 'a'], first);
  t.equal(again.headers.bearer, first.headers.bearer);
  t.equal(again.headers.bearer?.text, 's3');
  const other = section(['Host', 'a', 'Authorization', 'Bearer s4'], again);
  t.equal(other.headers.bearer?.text, 's4');
  t.equal(section(['Host', 'a'], other).headers.bearer, null);
  t.equal(section(['Host', 'a', 'Authorization', 'Basic s4'], other).headers.bearer, null);
});

t.test('what came before never changes what is read', async (t) => {
  const name = fc.constantFrom(
    'Host',
    'host',
    'Authorization',
    'authorization',
    'X-A',
    'x a',
    'Content_Length',
    'Expect',
  );
  const value = fc.constantFrom('a', 'b', 'Bearer a', 'Bearer b', 'a\n', '\0', '');
  const fields = fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 5 }).map((pairs): string[] => pairs.flat());
  // Each differs from the first in one field or none.
  const change = fc.tuple(fc.nat(), fc.option(name), fc.option(value));
  const near = fc.tuple(fields, fc.array(change, { minLength: 1, maxLength: 4 })).map(([base, changes]) => [
    base,
    ...changes.map(([at, name, value]) => {
      const field = (at * 2) % base.length;
      return base.with(field, name ?? (base[field] as string)).with(field + 1, value ?? (base[field + 1] as string));
    }),
  ]);
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(near, (sections) => {
        let before: HeaderSection | null = null;
        for (const rawHeaders of sections) {
          const { bearer, ...read }: HeaderSection['headers'] = readHeaders(rawHeaders, before);
          const { bearer: alone, ...readAlone } = readHeaders(rawHeaders);
          t.strictSame(read, readAlone);
          t.equal(bearer?.text, alone?.text);
          before = section(rawHeaders, before);
        }
      }),
    ),
  );
});

t.test('a field that says which user it is for is seen in any spelling', async (t) => {
  for (const name of ['X-Forwarded-User', 'REMOTE-USER', 'x-user-id', 'Cf-Access-Jwt-Assertion'])
    t.equal(readHeaders(['A', 'b', name, 'u']).namesUser, true, name);
  for (const name of ['User-Agent', 'X-Forwarded-For', 'X-Users'])
    t.equal(readHeaders([name, 'u']).namesUser, false, name);
});

t.test('cookies are all kept, and what asks for less than the whole answer is seen in any field', async (t) => {
  t.same(readHeaders(['Cookie', 'a=1', 'COOKIE', 'b=2']).cookies, ['a=1', 'b=2']);
  for (const name of ['Range', 'If-Range', 'If-Match', 'If-None-Match', 'if-modified-since', 'IF-UNMODIFIED-SINCE'])
    t.equal(readHeaders([name, 'x']).isConditional, true, name);
  t.equal(readHeaders(['If-X', 'x', 'Accept-Ranges', 'bytes']).isConditional, false);
});
