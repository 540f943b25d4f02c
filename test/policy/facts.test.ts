import t from 'tap';
import { announcesBody, readHeaders } from '../../src/policy/facts.ts';
import { factsOf } from '../support/passages.ts';

t.test('each field is read in any case, the first kept and repetitions counted', async (t) => {
  const facts = readHeaders([
    ...['hOST', 'a', 'Host', 'b', 'AUTHORIZATION', 'x', 'authorization', 'y', 'content-type', 't', 'Content-Type', 'u'],
    ...['Content-Encoding', 'gzip', 'content-encoding', 'br', 'Content-Length', '1', 'Transfer-Encoding', 'chunked'],
    ...['Origin', 'o', 'origin', 'p', 'Sec-Fetch-Site', 's', 'Upgrade', 'h2c', 'Expect', '100-continue'],
    ...['X-Forwarded-Proto', 'https', 'X-Request-Id', 'r', 'Access-Control-Request-Method', 'POST'],
    ...['Access-Control-Request-Headers', 'a, b', 'Transfer-Encoding', 'gzip', 'X-Request-Id', 'second'],
  ]);
  t.strictSame(facts, {
    ...{ fieldCount: 21, host: 'a', hostCount: 2, authorization: 'x', authorizationCount: 2 },
    ...{ contentType: 't', contentTypeCount: 2, contentEncoding: 'gzip', contentEncodingCount: 2 },
    ...{ contentLength: '1', transferEncoding: 'chunked', transferEncodingCount: 2, origin: 'o', originCount: 2 },
    ...{ secFetchSite: 's', upgrade: true, expect: '100-continue', forwardedFor: [], forwardedProto: 'https' },
    ...{ requestId: 'r', connection: [], accessControlRequestMethod: 'POST' },
    ...{ accessControlRequestHeaders: 'a, b', cacheControl: undefined },
  });
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
  ]);
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
  t.match(readHeaders([]), { fieldCount: 0, hostCount: 0, upgrade: false });
});

t.test('whether a body is announced', async (t) => {
  const announces = (...fields: string[]) => announcesBody(factsOf({}, fields));
  t.equal(announces(), false);
  t.equal(announces('Content-Length', '0'), false);
  t.equal(announces('Content-Length', '1'), true);
  t.equal(announces('Content-Length', '00'), true, 'what is odd is read or closed');
  t.equal(announces('Transfer-Encoding', 'chunked'), true);
  t.equal(announces('Transfer-Encoding', ''), true);
});
