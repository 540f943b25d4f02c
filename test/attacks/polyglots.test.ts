/**
 * Requests that are one thing to one reader and another to the next, generated: bodies that are JSON as they stand and decoded, JSON
 * and a form, JSON and base64, one event and a batch, and queries beside them. Whatever reaches the backend is read by lenient
 * readers, and no one of them finds an event that the key may not send.
 */
import * as fc from 'fast-check';
import zlib from 'node:zlib';
import t, { type Test } from 'tap';
import { lenientNamesIn, type ReceivedEvents } from '../support/foreign-parsers.ts';
import { EVENTS_SECRET, startFlow, written } from '../support/flow.ts';

const ATTACK = '{"name":"attack","event":"attack"}';
const LISTED = '"name":"login","event":"login"';

interface Polyglot {
  readonly query: string;
  readonly fields: readonly string[];
  readonly body: Buffer;
}

const hidden = fc
  .tuple(fc.constantFrom(ATTACK, `[${ATTACK}]`, ` ${ATTACK}`, `\n[\t${ATTACK}]`), fc.boolean())
  .map(([text, urlSafe]) => Buffer.from(text.padEnd(48)).toString(urlSafe ? 'base64url' : 'base64'));

/** Members that hold an event for somebody, or nothing at all. */
const member = fc.oneof(
  hidden.map((text) => `"${text}":1`),
  hidden.map((text) => `"x":"&data=${text}&"`),
  fc.constantFrom(
    '"x":"&name=attack&event=attack&"',
    '"x":"&data={\\"event\\":\\"attack\\"}&"',
    '"x":"&_method=DELETE&"',
    '"name":"attack"',
    '"Event":"attack"',
    '"__proto__":{"name":"attack","event":"attack"}',
    '"n\\u0061me":"attack"',
    '"batch":[]',
    '"events":[]',
    '"data":[]',
    '"batch":[{"event":"attack"}]',
    '"events":[{"name":"attack"}]',
    '"x":1',
    '"user_id":"u"',
    '"extra":"e"',
  ),
);
const event = fc
  .tuple(fc.array(member, { maxLength: 2 }), fc.array(member, { maxLength: 2 }))
  .map(([before, after]) => `{${[...before, LISTED, ...after].join(',')}}`);
const batchOf = (container: string) =>
  fc
    .tuple(fc.array(member, { maxLength: 2 }), fc.array(event, { maxLength: 2 }), fc.array(member, { maxLength: 2 }))
    .map(([before, items, after]) => `{${[...before, `"${container}":[${items.join(',')}]`, ...after].join(',')}}`);
const list = fc.array(event, { maxLength: 2 }).map((items) => `[${items.join(',')}]`);

/** Raw text beside what it claims to be: coded or not, labelled rightly or not. */
const coded = (text: fc.Arbitrary<string>) =>
  fc
    .tuple(
      text,
      fc.constantFrom('', '', '', 'gzip', 'deflate', 'br', 'identity', 'x-gzip', 'gzip, br'),
      fc.integer({ min: 0, max: 9 }),
    )
    .map(([json, coding, luck]) => ({
      coding,
      body: luck === 0 ? Buffer.from(json) : (CODERS[coding] ?? Buffer.from)(json),
    }));
const CODERS: Readonly<Record<string, (text: string) => Buffer>> = {
  gzip: (text) => zlib.gzipSync(text),
  'x-gzip': (text) => zlib.gzipSync(text, { level: 0 }),
  deflate: (text) => zlib.deflateSync(text, { level: 0 }),
  br: (text) => zlib.brotliCompressSync(text),
};

const contentType = fc.constantFrom(
  undefined,
  undefined,
  'application/json',
  'application/json',
  'text/plain',
  '',
  'application/vnd.x+json',
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded+json',
  'multipart/form-data; boundary=x',
  'application/json; x="multipart/form-data"',
  'application/form-data+json',
  'application/json, multipart/x',
);
const query = fc.constantFrom(
  '',
  '',
  '',
  '?ip=1',
  '?ip=1&ver=2',
  '?locationEnrichment=true',
  '?data=e30',
  '?name=attack',
  '?ip=1;event=attack',
  '?ip=1&event=attack',
  '?%65vent=attack',
  '?event[]=attack',
  `?data=${Buffer.from(ATTACK).toString('base64url')}`,
);

const polyglot = (text: fc.Arbitrary<string>): fc.Arbitrary<Polyglot> =>
  fc.tuple(coded(text), contentType, query).map(([{ coding, body }, type, asked]) => ({
    query: asked,
    fields: [
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      ...(coding === '' ? [] : [`Content-Encoding: ${coding}`]),
    ],
    body,
  }));

const PLACES: readonly (readonly [preset: string, path: string, member: string, text: fc.Arbitrary<string>])[] = [
  ['userflux', '/event/ingest', 'name', event],
  ['userflux', '/event/ingest/batch', 'name', batchOf('events')],
  ['posthog', '/batch', 'event', batchOf('batch')],
  ['posthog', '/e', 'event', list],
  ['segment', '/v1/track', 'event', event],
  ['mixpanel', '/import', 'event', list],
];

/** Only the backends of PostHog and Mixpanel read base64. */
const readsBase64 = (preset: string): boolean => preset === 'posthog' || preset === 'mixpanel';

const holdToReaders = (t: Test, received: readonly ReceivedEvents[], names: readonly (readonly string[])[]): void =>
  names.forEach((names, i) => {
    const { contentType: type, contentEncoding, body, url } = received[i] as ReceivedEvents;
    const shown = `${url} ${type ?? '(no type)'}: ${body.toString()}`;
    if (names.some((name) => name !== 'login')) t.fail(`a reader finds ${names.join()} in ${shown}`);
    if (contentEncoding !== undefined || type === undefined || type === '') t.fail(`not as it was judged: ${shown}`);
    try {
      JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
    } catch {
      t.fail(`no JSON: ${shown}`);
    }
  });

for (const [preset, path, name, text] of PLACES)
  t.test(`no reader finds another event than the key may send: ${preset} ${path}`, async (t) => {
    const { raw, backend } = await startFlow(t, {
      api: { preset },
      keys: [{ id: 'limited', type: 'write-only', secret: EVENTS_SECRET, allowedEvents: ['login'] }],
    });
    const statuses = new Map<number, number>();
    for (const { query: asked, fields, body } of fc.sample(polyglot(text), { numRuns: 300, seed: 7 })) {
      const { status } = await raw(written({ secret: EVENTS_SECRET, target: `${path}${asked}`, fields, body }));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    const received = backend.requests.map(({ url, rawHeaders, body }): ReceivedEvents => {
      const field = (name: string) =>
        rawHeaders.find((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name);
      return { url, body, contentType: field('content-type'), contentEncoding: field('content-encoding') };
    });
    t.equal(statuses.get(204), received.length);
    for (const status of [204, 400, 403, 415]) t.ok((statuses.get(status) ?? 0) > 0, `${status} comes up`);
    holdToReaders(t, received, lenientNamesIn(received, { base64: readsBase64(preset), member: name }));
  });
