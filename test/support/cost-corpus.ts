/**
 * The worst that a stranger can send to each parser and matcher on the way of a request, made for a size: to be measured against
 * a quarter of itself, whose cost must be about a quarter.
 */
import { findBodyStart, effortPerPacket } from '../../src/data-port/body-start.ts';
import { stringify } from 'yaml';
import { readProxyHeader } from '../../src/data-port/proxy-header.ts';
import { checkMedia } from '../../src/event-filter/media.ts';
import { loadKeyText } from '../../src/keys/key-file.ts';
import { editKeyFile } from '../../src/keys/key-file-edit.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { lenientReadings } from '../../src/lib/lenient-readings.ts';
import { normalizeTarget, PATH_QUIRKS } from '../../src/lib/path-normalization.ts';
import { decomposeWithoutMarks } from '../../src/lib/path-reading.ts';
import { overridesMethod } from '../../src/lib/method-override.ts';
import { compileNameReader, queryParameters } from '../../src/lib/query.ts';
import { cacheDirective, storability } from '../../src/cache/storability.ts';
import { isMetricsQuery, isTokenPath } from '../../src/policy/own-endpoint.ts';
import { readJsonRequest, readOAuthRequest, tokenForm } from '../../src/tokens/token-request.ts';
import { redactUrls } from '../../src/lib/redact-urls.ts';
import { compileTrustedProxies } from '../../src/policy/trusted-proxies.ts';
import { resolveClientAddress } from '../../src/policy/client-address.ts';
import { preflightHeaders } from '../../src/policy/cors.ts';
import { findCredential } from '../../src/policy/credential.ts';
import { readHeaders } from '../../src/policy/header-facts.ts';
import { checkRequestForm } from '../../src/policy/request-form.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import { upstreamHeaders } from '../../src/upstream/headers.ts';
import { apiRules, factsOf, rulesOf } from './passages.ts';

const METRICS = apiRules({ name: 'metrics' });
const rules = rulesOf([], { metrics: METRICS });

export interface ParserCost {
  readonly name: string;
  /** The call to measure, on what is made for this size. */
  readonly prepare: (size: number) => () => unknown;
}

/** Of a header section, less what the rest of it needs. */
export const HEADER_BYTES = 15_900;

const fill = (size: number, unit: string): string => unit.repeat(Math.floor(size / unit.length));
const encoded = encodeURIComponent;

const router = compileRoutes([
  { method: 'POST', path: '/event/ingest', events: 'name' },
  { method: 'POST', path: '/:collection/:id' },
  { method: 'POST', path: '/:anything' },
]);

function path(name: string, unit: string): ParserCost {
  return {
    name: `a path of ${name}`,
    prepare: (size) => {
      const target = `/${fill(size, unit)}`;
      return () => {
        const read = normalizeTarget(target, new Set(PATH_QUIRKS));
        if (read.ok) router.match('POST', read.value.path);
        return [rules.choice.find('api.test', target), isTokenPath(METRICS, target), isMetricsQuery(METRICS, target)];
      };
    },
  };
}

/** A path that has more than one reading, as an API in report mode may get it. */
function ambiguousPath(name: string, unit: string): ParserCost {
  return {
    name: `an ambiguous path of ${name}`,
    prepare: (size) => {
      // As long as such a path may be.
      const target = `/${fill(size / 16, unit)}a//..\\%2e;x`;
      return () => lenientReadings(target);
    },
  };
}

/** Header fields: names and values alternating. */
function fields(name: string, make: (size: number) => readonly string[]): ParserCost {
  return {
    name,
    prepare: (size) => {
      const rawHeaders = ['Host', 'a.test', ...make(size)];
      return () => {
        const headers = readHeaders(rawHeaders);
        const facts = factsOf({ rawHeaders, headers });
        checkRequestForm(facts);
        findCredential({ facts, query: '', bodyText: null }, CREDENTIALS);
        resolveClientAddress(facts.peer, headers.forwardedFor, EVERYBODY);
        preflightHeaders(facts, {
          rules: { allowedHeaders: new Set(['a', 'b']), maxAgeSeconds: 1, allowCredentials: false },
          methods: ['POST'],
          credentials: false,
        });
        cacheDirective(headers.cacheControl);
        checkMedia(headers.contentType);
        tokenForm({ contentType: headers.contentType, authorization: headers.authorization });
        return upstreamHeaders({
          rawHeaders,
          connection: headers.connection,
          credentialFields: ['x-api-key'],
          bodyChanged: true,
          bodyDecoded: false,
          eventRoute: null,
          contentType: null,
          forwardedFor: 'a',
          forwardedProto: 'http',
          forwardedHost: 'a',
          requestId: 'a',
          key: null,
          authorization: { kind: 'pass' },
          methodUnjudged: false,
        });
      };
    },
  };
}

const field = (name: string, unit: string, end = ''): ParserCost =>
  fields(`${name}: ${JSON.stringify(unit)} over and over`, (size) => [name, fill(size, unit) + end]);

const many = (name: string, pair: (i: number) => readonly [string, string]): ParserCost =>
  fields(name, (size) => Array.from({ length: Math.floor(size / 16) }, (_, i) => pair(i)).flat());

const CREDENTIALS = [{ kind: 'bearer' }, { kind: 'basic-username' }, { kind: 'header', name: 'x-api-key' }] as const;
const API_KEY = compileNameReader('api_key');
const EVERYBODY = compileTrustedProxies(['0.0.0.0/0', '::/0']);

function query(name: string, unit: string): ParserCost {
  return {
    name: `a query of ${name}`,
    prepare: (size) => {
      const text = `?${fill(size, unit)}`;
      const facts = factsOf();
      return () => {
        findCredential({ facts, query: text, bodyText: null }, [{ kind: 'query', name: 'api_key', isName: API_KEY }]);
        return [queryParameters(text), overridesMethod(`${text}&method`)];
      };
    },
  };
}

const call = (name: string, make: (size: number) => string, read: (text: string) => unknown): ParserCost => ({
  name,
  prepare: (size) => {
    const text = make(size);
    return () => read(text);
  },
});

/** A chunked request whose head is in one packet with what is before it. */
function packet(
  name: string,
  make: (size: number) => { readonly before: string; readonly fields: string[] },
): ParserCost {
  return {
    name: `a packet of ${name}`,
    prepare: (size) => {
      const { before, fields: rawHeaders } = make(size);
      const lines = rawHeaders.flatMap((one, i) => (i % 2 === 0 ? [`${one}: ${rawHeaders[i + 1] ?? ''}`] : []));
      const bytes = Buffer.from(`${before}POST / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n0\r\n\r\n`, 'latin1');
      const head = { method: 'POST', url: '/', httpVersion: '1.1', rawHeaders };
      return () => [findBodyStart(bytes, head, null), findBodyStart(bytes, head, 0)];
    },
  };
}

const pipelined: ParserCost = {
  name: 'a packet of requests with and without a chunked body by turns',
  prepare: (size) => {
    const post = (i: number): string => `POST /${i} HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:chunked\r\n\r\n0\r\n\r\n`;
    const one = (i: number): string => `GET / HTTP/1.1\r\nHost:a\r\n\r\n${post(i)}`;
    const count = Math.floor((size * 4) / one(1000).length);
    const bytes = Buffer.from(Array.from({ length: count }, (_, i) => one(i)).join(''));
    return () => {
      const effort = effortPerPacket();
      let known: number | null = null;
      for (let i = 0; i < count; i++) {
        const rawHeaders = ['Host', 'a', 'Transfer-Encoding', 'chunked'];
        const start = findBodyStart(
          bytes,
          { method: 'POST', url: `/${i}`, httpVersion: '1.1', rawHeaders },
          known,
          effort,
        );
        if (typeof start !== 'number') return;
        known = start + 5;
      }
    };
  },
};

export const PARSER_COSTS: readonly ParserCost[] = [
  path('letters', 'a'),
  ambiguousPath('dots', '.'),
  ambiguousPath('escaped spaces', '%20'),
  ambiguousPath('pluses', '+'),
  ambiguousPath('slashes', '/'),
  ambiguousPath('dot segments', '/.'),
  ambiguousPath('parameters', '/a;'),
  path('segments', 'a/'),
  path('marks', encoded('\u0301\u0316')),
  path('marks in descending order', encoded('\u0315\u0301\u0316\u0334')),
  path('letters with accents', encoded('é')),
  path('segments with accents', `${encoded('é')}/`),
  path('characters that become eighteen', encoded('\ufdfa')),
  path('escaped spaces', '%20a'),
  path('escapes of escapes', '%2541'),
  path('parameters', ';a'),
  path('escapes that are no UTF-8', '%ffa'),
  path('escapes of what is no UTF-8', '%25ffa'),
  path('all of it', `%2541%2fa;%3f${encoded('\ufdfa')}`),
  path('slashes', '/'),
  query('names', 'a&'),
  query('values', '=&'),
  query('escapes', '%61'),
  query('broken escapes', '%zz&'),
  query('escapes that are no UTF-8', '%ff&'),
  query('semicolons', '_method;'),
  field('X', ' ', 'a'),
  field('Authorization', 'Basic ', ' a'),
  fields('Authorization: Basic and spaces', (size) => ['Authorization', `Basic ${fill(size, ' ')}=`]),
  fields('Authorization: Basic and letters', (size) => ['Authorization', `Basic ${fill(size, 'a')}!`]),
  fields('Authorization: Bearer and spaces', (size) => ['Authorization', `Bearer ${fill(size, ' ')}`]),
  fields('Content-Type: a parameter and spaces', (size) => ['Content-Type', `application/json;${fill(size, ' ')}x`]),
  fields('Content-Type: spaces', (size) => ['Content-Type', `application/json${fill(size, ' ')}x`]),
  fields('Content-Type: parameters', (size) => ['Content-Type', `application/json${fill(size, ';a=b')}=`]),
  fields('Content-Type: semicolons', (size) => ['Content-Type', `application/json${fill(size, '; ')}!`]),
  fields('Content-Type: a quoted value', (size) => ['Content-Type', `application/json;a="${fill(size, '\\"')}`]),
  fields('Content-Type: a form and spaces', (size) => [
    'Content-Type',
    `application/x-www-form-urlencoded;${fill(size, ' ')}x`,
  ]),
  field('X-Forwarded-For', ','),
  field('X-Forwarded-For', '10.0.0.1, '),
  field('X-Forwarded-For', ' ', 'a'),
  field('X-Forwarded-For', ':'),
  field('Cookie', 'postern_session;'),
  field('Cookie', ';', 'postern_session'),
  field('Cookie', ' ', ';postern_session=a'),
  field('Host', 'a.', '!'),
  field('Transfer-Encoding', 'a, ', 'chunked'),
  field('Access-Control-Request-Headers', 'a,'),
  field('Cache-Control', 'max-age=,'),
  field('Origin', 'a'),
  many('fields without a name in common', (i) => [`x-${i}`, '']),
  many('fields that look like framing', () => ['Content_Length', '1']),
  many('X-Forwarded-For fields', () => ['X-Forwarded-For', '1.1.1.1']),
  many('Cache-Control fields', () => ['Cache-Control', 'a']),
  many('Connection fields', (i) => ['Connection', `x-${i}`]),
  many('fields that Connection names', (i) => [i % 2 === 0 ? 'Connection' : `x-${i}`, `x-${i + 1}`]),
  call('a text of marks', (size) => fill(size * 2, '\u0315\u0301\u0316'), decomposeWithoutMarks),
  call(
    'a form of names',
    (size) => fill(size, 'a&'),
    (text) => readOAuthRequest(Buffer.from(text), undefined),
  ),
  call(
    'a form of escapes',
    (size) => fill(size, '%61'),
    (text) => readOAuthRequest(Buffer.from(text), undefined),
  ),
  call(
    'a form and Basic',
    (size) => `Basic ${fill(size, 'a')} !`,
    (text) => readOAuthRequest(Buffer.from('grant_type=client_credentials'), text),
  ),
  call(
    'a token request of members',
    (size) => `{${fill(size, '"a":0,')}"a":0}`,
    (text) => readJsonRequest(Buffer.from(text)),
  ),
  call(
    'a token request of lists',
    (size) => fill(size / 2, '[') + fill(size / 2, ']'),
    (text) => readJsonRequest(Buffer.from(text)),
  ),
  call(
    'Vary of an answer',
    (size) => fill(size, 'a,'),
    (text) => storability({ status: 200, statusText: '', headers: ['Vary', text] }, true),
  ),
  call(
    'Cache-Control of an answer',
    (size) => fill(size, 'no-stor'),
    (text) => storability({ status: 200, statusText: '', headers: ['Cache-Control', text] }, true),
  ),
  call(
    'a PROXY header',
    (size) => `PROXY TCP4 ${fill(size, ' ')}`,
    (text) => readProxyHeader(Buffer.from(text)),
  ),
  call('an address', (size) => fill(size, ':'), parseAddress),
  call('a text for the log', (size) => `${fill(size, 'a')} ://`, redactUrls),
  packet('empty lines', (size) => ({
    before: fill(size * 3, '\r\n'),
    fields: ['Host', 'a', 'Transfer-Encoding', 'chunked'],
  })),
  packet('ends of heads', (size) => ({ before: fill(size * 3, 'a: \r\n\r\n0'), fields: ['Host', 'a', 'a', ''] })),
  packet('fields', (size) => ({
    before: '',
    fields: Array.from({ length: Math.floor(size / 8) }, () => ['a', 'b']).flat(),
  })),
  packet('a field of spaces', (size) => ({ before: '', fields: ['Host', 'a', 'X', `a${fill(size, ' ')}b`] })),
  pipelined,
  {
    name: 'a change to a long list of a key file',
    prepare: (size) => {
      const allowedEvents = Array.from({ length: Math.floor(size / 4) }, (_, i) => `e${i}`);
      const text = stringify({ keys: [{ id: 'a', type: 'write-only', secret: 'secret-of-the-key', allowedEvents }] });
      const [before] = loadKeyText(text, 'keys.yaml', {}).definitions ?? [];
      if (before === undefined) throw new Error('the key file is wrong');
      const after = { ...before, allowedEvents: [...allowedEvents.toReversed(), 'more'] };
      return () => editKeyFile(text, { index: 0, before, after });
    },
  },
];
