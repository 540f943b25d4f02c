/**
 * Every door by which a vendor's backend takes an event, with a key that may send `login` alone: paths of old, queries, forms, bodies that
 * two readers read in two ways, compressed and encoded. Whatever comes through is searched, decoded in every way, for the other event.
 */
import { gzipSync, gunzipSync } from 'node:zlib';
import t from 'tap';
import { startBackend, type RecordedRequest } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';
import { sendRaw } from '../support/raw-http.ts';

const KEY = 'secret-of-the-limited-key';
const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

/** One request. */
interface Knock {
  readonly method?: string;
  readonly target: string;
  readonly type?: string;
  readonly fields?: readonly string[];
  readonly body?: string | Buffer;
}

const eventOf = (name: string): string =>
  JSON.stringify({ event: name, event_type: name, type: 'track', userId: 'u', properties: { distinct_id: 'u' } });
const GOOD = eventOf('login');
const BAD = eventOf('payment');
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const encoded = encodeURIComponent;

/** What a vendor takes for a body with these events. */
type Shape = (...events: readonly string[]) => string;

interface Vendor {
  readonly shape: Shape;
  /** Where it takes events, by a route that is listed. */
  readonly paths: readonly string[];
  /** Its backend decodes base64 wherever it finds it. */
  readonly readsBase64?: boolean;
  /** Further paths of its backend. */
  readonly others: readonly string[];
}

const inBatch: Shape = (...events) => `{"batch":[${events.join(',')}]}`;
const asList: Shape = (...events) => `[${events.join(',')}]`;

const VENDORS: Readonly<Record<string, Vendor>> = {
  posthog: {
    shape: inBatch,
    readsBase64: true,
    paths: ['/batch/', '/e/', '/i/v0/e/', '/capture/', '/s/'],
    others: ['/engage/', '/track/', '/decide/', '/i/v0/ai', '/test/black_hole', '/capture/x', '/i/v0/e/e'],
  },
  segment: {
    shape: inBatch,
    paths: ['/v1/batch', '/v1/b', '/v1/import/'],
    others: ['/v1/pixel/track', '/v1/m', '/v1/', '/batch'],
  },
  rudderstack: {
    shape: inBatch,
    paths: ['/v1/batch', '/beacon/v1/batch'],
    others: ['/v1/import', '/v1/webhook', '/v1/replay', '/v1/merge', '/internal/v1/batch', '/pixel/v1/track'],
  },
  amplitude: {
    shape: (...events) => `{"events":[${events.join(',')}]}`,
    paths: ['/2/httpapi', '/batch'],
    others: ['/httpapi', '/', '/identify', '/groupidentify', '/attribution'],
  },
  mixpanel: {
    shape: asList,
    readsBase64: true,
    paths: ['/track/', '/import'],
    others: ['/track-pixel', '/decide', '/record', '/event', '/track/x'],
  },
};

/** The event in the query, in many spellings, beside a body that is right. */
function queriesOf(shape: Shape): string[] {
  const names = [
    'data',
    'DATA',
    'd%61ta',
    'data%5B%5D',
    'data[]',
    'data[0]',
    'data.x',
    '%20data',
    'data%00',
    'event',
    'e',
    'batch',
  ];
  const texts = [shape(BAD), BAD, base64(shape(BAD)), base64url(shape(BAD)), base64(gzipSync(shape(BAD)))];
  return [
    ...names.map((name) => `${name}=${encoded(base64(shape(BAD)))}`),
    ...texts.map((text) => `data=${encoded(text)}`),
    `data=${encoded(encoded(shape(BAD)))}`,
    `ip=1&data=${encoded(BAD)}`,
    `ip=1;data=${encoded(BAD)}`,
    `data[event]=payment&data[properties][a]=1`,
    `ip=1&ip=${encoded(BAD)}`,
    `_method=PUT&event=payment`,
    'compression=lz64',
    'compression=gzip&compression=lz64',
    'compression[]=gzip',
  ];
}

/** Bodies that hold it, each with its type. */
function bodiesOf({ shape, readsBase64 = false }: Vendor): Omit<Knock, 'target'>[] {
  const json = [
    shape(BAD),
    BAD,
    `[${BAD}]`,
    `{"batch":[${BAD}]}`,
    `{"events":[${BAD}]}`,
    `{"data":${BAD}}`,
    `{"batch":[${GOOD}],"event":"payment","properties":{}}`,
    `{"batch":[],"event":"payment","properties":{}}`,
    `{"batch":[${GOOD}],"batch":[${BAD}]}`,
    `{"batch":[${GOOD}],"Batch":[${BAD}]}`,
    `{"batch":[${GOOD}],"events":[${BAD}],"data":[${BAD}]}`,
    `{"batch":[{"event":"login","event":"payment"}]}`,
    `{"batch":[{"event":"login","\\u0065vent":"payment"}]}`,
    `{"batch":[{"type":"identify","event":"payment"}]}`,
    `{"batch":[{"type":"identify","type":"track","event":"payment"}]}`,
    `{"batch":{"0":${BAD}}}`,
    `{"batch":[[${BAD}]]}`,
    `{"__proto__":${BAD},"batch":[${GOOD}]}`,
    ...(readsBase64 ? [`{"${base64(shape(BAD))}":0,"batch":[${GOOD}]}`] : []),
    `[${GOOD}]${BAD}`,
    `${shape(GOOD)}\n${shape(BAD)}`,
    `\ufeff${shape(BAD)}`,
  ];
  const raw = [
    base64(shape(BAD)),
    base64url(shape(BAD)),
    `data=${encoded(base64(shape(BAD)))}`,
    `data=${encoded(shape(BAD))}`,
    `data=${encoded(shape(GOOD))}&data=${encoded(shape(BAD))}`,
    `data[]=${encoded(shape(BAD))}`,
    `data=${encoded(shape(GOOD))}&event=${encoded(BAD)}`,
    `data=${encoded(base64(gzipSync(shape(BAD))))}`,
    `data=${encoded(base64(shape(GOOD)))}&compression=lz64&data2=${base64(BAD)}`,
    `event=payment&properties=${encoded('{}')}`,
    `_method=PUT&data=${encoded(BAD)}`,
    encoded(shape(BAD)),
  ];
  const coded = [
    gzipSync(shape(BAD)),
    gzipSync(gzipSync(shape(BAD))),
    Buffer.concat([gzipSync(shape(GOOD)), gzipSync(shape(BAD))]),
  ];
  const multipart = `--x\r\nContent-Disposition: form-data; name="data"\r\n\r\n${shape(BAD)}\r\n--x--\r\n`;
  return [
    ...json.flatMap((body) => [JSON_TYPE, 'text/plain', FORM].map((type) => ({ type, body }))),
    ...raw.flatMap((body) => [FORM, 'text/plain', JSON_TYPE].map((type) => ({ type, body }))),
    ...coded.flatMap((body) => [
      { type: 'text/plain', body },
      { type: JSON_TYPE, fields: ['Content-Encoding: gzip'], body },
    ]),
    { type: 'multipart/form-data; boundary=x', body: multipart },
    { type: 'application/x-ndjson', body: `${GOOD}\n${BAD}` },
    { type: 'application/octet-stream', body: shape(BAD) },
  ];
}

function knocksOf(vendor: Vendor): Knock[] {
  const { shape, paths, others } = vendor;
  const [first = ''] = paths;
  return [
    ...paths.flatMap((target) =>
      bodiesOf(vendor)
        // One path of each vendor has every body under every name, the others under one name each.
        .filter((_, i) => target === first || i % 3 === 0)
        .map((body) => ({ ...body, target })),
    ),
    ...paths.flatMap((path) =>
      queriesOf(shape).map((query) => ({ target: `${path}?${query}`, type: JSON_TYPE, body: shape(GOOD) })),
    ),
    ...others.map((target) => ({ target, type: JSON_TYPE, body: shape(BAD) })),
    ...others.map((target) => ({ target: `${target}?data=${encoded(BAD)}`, type: JSON_TYPE, body: shape(GOOD) })),
    ...['GET', 'PUT', 'PATCH', 'DELETE'].map((method) => ({
      method,
      target: `${first}?data=${encoded(base64(BAD))}`,
    })),
    { target: `${first};data=${encoded(BAD)}`, type: JSON_TYPE, body: shape(GOOD) },
    { target: `${first}%3Fdata=${encoded(BAD)}`, type: JSON_TYPE, body: shape(GOOD) },
  ];
}

/** Everything that somebody might read in a text, decoded up to three times over. */
function readingsOf(text: string, depth = 3): string[] {
  if (depth === 0) return [text];
  const runs = text.match(/[A-Za-z0-9+/_-]{16,}={0,2}/g) ?? [];
  const inner = [
    ...runs.map((run) => Buffer.from(run, 'base64').toString('latin1')),
    ...(/%[0-9a-f]{2}/i.test(text)
      ? [text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))]
      : []),
    ...(text.startsWith('\x1f\x8b') ? unzipped(text) : []),
    ...(text.includes('\\u')
      ? [text.replaceAll(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))]
      : []),
  ];
  return [text, ...inner.flatMap((each) => readingsOf(each, depth - 1))];
}

function unzipped(text: string): string[] {
  try {
    return [gunzipSync(Buffer.from(text, 'latin1')).toString('latin1')];
  } catch {
    return [];
  }
}

const AT_ONCE = 32;

const holdsPayment = ({ url, body }: RecordedRequest): boolean =>
  [url, body.toString('latin1')].some((text) => readingsOf(text).some((reading) => /payment/i.test(reading)));

t.test('no event comes past a limit by any door of a vendor', async (t) => {
  const backend = await startBackend(t);
  const apis = Object.fromEntries(
    Object.keys(VENDORS).map((preset) => [preset, { upstream: backend.url, preset, hosts: [`${preset}.test`] }]),
  );
  const postern = await startPostern(t, {
    config: { apis },
    keys: [{ id: 'limited', type: 'read-write', secret: KEY, allowedEvents: ['login'] }],
  });
  const knock = (host: string, { method = 'POST', target, type, fields = [], body }: Knock) => {
    const bytes = Buffer.from(body ?? '');
    const head = [
      `${method} ${target} HTTP/1.1`,
      `Host: ${host}.test`,
      `Authorization: Bearer ${KEY}`,
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      ...fields,
      ...(body === undefined ? [] : [`Content-Length: ${bytes.length}`]),
    ];
    return sendRaw(postern.port, Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'utf8'), bytes]));
  };
  for (const [preset, vendor] of Object.entries(VENDORS)) {
    const before = backend.requests.length;
    for (const path of vendor.paths) {
      const { status } = await knock(preset, { target: path, type: JSON_TYPE, body: vendor.shape(GOOD, BAD) });
      t.equal(status, 204, `${preset} ${path}: the door itself is open`);
    }
    t.equal(backend.requests.length, before + vendor.paths.length);
    const statuses = new Map<number, number>();
    const knocks = knocksOf(vendor);
    for (let i = 0; i < knocks.length; i += AT_ONCE)
      for (const { status } of await Promise.all(knocks.slice(i, i + AT_ONCE).map((one) => knock(preset, one))))
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
    t.same(
      backend.requests
        .slice(before)
        .filter(holdsPayment)
        .map(({ url, body }) => `${url} ${body.toString()}`),
      [],
      preset,
    );
    for (const status of [400, 403, 415]) t.ok((statuses.get(status) ?? 0) > 0, `${preset}: ${status} comes up`);
    t.notOk(statuses.has(500), preset);
  }
});
