/**
 * Every door by which a limited key might bring an event past its limit: query, form, base64, gzip, cookies, methods, types, and the
 * body's own shapes, against backends of one's own and against each preset. Lenient readers look through whatever arrives.
 */
import { deflateSync, gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import type { RecordedRequest } from '../support/backend.ts';
import { lenientNamesIn } from '../support/foreign-parsers.ts';
import { EVENTS_SECRET, startFlow, written, type Flow } from '../support/flow.ts';

const FORM = 'Content-Type: application/x-www-form-urlencoded';
const TEXT = 'Content-Type: text/plain';
const JSON_TYPE = 'Content-Type: application/json';
const BAD = '{"event":"attack","name":"attack"}';
const GOOD = '{"event":"login","name":"login"}';
const AUTHORIZATION = `Authorization: Bearer ${EVENTS_SECRET}`;

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const inForm = (text: string | Buffer): string => encodeURIComponent(base64(text));
const urlSafe = (text: string): string => Buffer.from(text).toString('base64url');

interface Door {
  readonly name: string;
  readonly method?: string;
  readonly query?: string;
  readonly fields?: readonly string[];
  readonly body: string | Buffer;
}

/** Parameters beside a body that is allowed: as PHP, Rails, Express, Java, ASP.NET and Go read them. */
const QUERIES = [
  `data=${inForm(BAD)}`,
  `data=${encodeURIComponent(BAD)}`,
  `data=${urlSafe(BAD)}`,
  'event=attack',
  'EVENT=attack',
  '%65vent=attack',
  '%2565vent=attack',
  'event[]=attack',
  'event[0]=attack',
  'event%5B%5D=attack',
  'event[name]=attack',
  'batch[0][event]=attack',
  'batch[][event]=attack',
  'batch.event=attack',
  'batch.0.event=attack',
  '.event=attack',
  '+event=attack',
  'event%00=attack',
  'event%20=attack',
  'ev%e2%80%8bent=attack',
  'ip=1&event=attack',
  'ip=1;event=attack',
  'ip=1%26event=attack',
  'ip=1%26event%3Dattack',
  'ip=1%3Bevent=attack',
  'ip=1%2526event%253Dattack',
  'ip=1?event=attack',
  '?event=attack',
  'ip=1&ip=2&event=attack',
  'ip[event]=attack',
  'ip%5Bevent%5D=attack',
  'callback=x&event=attack',
  'compression=lz64&data=x',
  '_method=PUT',
  `eyJldmVudCI6ImF0dGFjayJ9=`,
].map((query): Door => ({ name: `query ${query}`, query: `?${query}`, fields: [JSON_TYPE], body: GOOD }));

const FORMS = [
  `data=${inForm(BAD)}`,
  `data=${encodeURIComponent(BAD)}`,
  `data=${inForm(GOOD)}&data=${inForm(BAD)}`,
  `data=${inForm(GOOD)}&Data=${inForm(BAD)}`,
  `data=${inForm(GOOD)}&data[]=${inForm(BAD)}`,
  `data[]=${inForm(BAD)}&data=${inForm(GOOD)}`,
  `data=${inForm(GOOD)};data=${inForm(BAD)}`,
  `data=${inForm(GOOD)}%26data=${inForm(BAD)}`,
  `data=${inForm(GOOD)}&%64ata=${inForm(BAD)}`,
  `data=${inForm(GOOD)}&event=attack`,
  `data=${inForm(GOOD)}&batch[0][event]=attack`,
  `data=${inForm(GOOD)}&ip=1%26event=attack`,
  `data=${inForm(GOOD)}&_method=PUT`,
  `data=${inForm(GOOD)}&compression=lz64`,
  `data=${urlSafe(`${BAD}>>>???`)}`,
  `data=${inForm(base64(BAD))}`,
  `data=${inForm(`${GOOD}${BAD}`)}`,
  `data=%00${inForm(GOOD)}`,
  `data=data:application/json;base64,${inForm(BAD)}`,
  `data=${inForm(gzipSync(BAD))}`,
  `data=${inForm(gzipSync(gzipSync(BAD)))}`,
  `event=attack`,
  BAD,
  `x=${BAD}`,
  `_=${base64(BAD)}&data=${inForm(GOOD)}`,
].flatMap((body): Door[] => [FORM, TEXT].map((type) => ({ name: `form ${type} ${body}`, fields: [type], body })));

const multipart = (name: string, value: string): string =>
  `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n--x--\r\n`;

/** What a body is called, and what it is. */
const TYPES: readonly Door[] = [
  {
    name: 'multipart',
    fields: ['Content-Type: multipart/form-data; boundary=x'],
    body: multipart('data', base64(BAD)),
  },
  {
    name: 'multipart/mixed',
    fields: ['Content-Type: multipart/mixed; boundary=x'],
    body: multipart('event', 'attack'),
  },
  { name: 'two types', fields: [JSON_TYPE, FORM], body: `data=${inForm(BAD)}` },
  {
    name: 'a list of types',
    fields: [`${JSON_TYPE}, application/x-www-form-urlencoded`],
    body: `{"x":"&event=attack&"}`,
  },
  { name: 'utf-7', fields: ['Content-Type: text/plain; charset=utf-7'], body: GOOD },
  { name: 'utf-16', fields: [JSON_TYPE], body: Buffer.from(BAD, 'utf16le') },
  { name: 'a form in latin1', fields: [`${FORM}; charset=iso-8859-1`], body: `data=${inForm(GOOD)}` },
  { name: 'no type', body: `event=attack&data=${inForm(BAD)}` },
  {
    name: 'JSON called a form',
    fields: [FORM],
    body: `{"event":"login","name":"login","x":"&event=attack&data=${inForm(BAD)}&"}`,
  },
  {
    name: 'JSON called text',
    fields: [TEXT],
    body: `{"event":"login","name":"login","x":"&event=attack&data=${inForm(BAD)}&"}`,
  },
  {
    name: 'JSON that is JSON in base64',
    fields: [JSON_TYPE],
    body: `{"${base64(`${BAD}   `)}":1,"event":"login","name":"login"}`,
  },
  { name: 'gzip called a form', fields: [FORM], body: gzipSync(`[${GOOD}]`) },
];

const stored = (text: string): Buffer => gzipSync(text, { level: 0 });
/** RFC 1952 with a file name, which a reader that passes over what is no base64 reads first. */
const named = (name: string, text: string): Buffer => {
  const plain = gzipSync(text);
  return Buffer.concat([
    plain.subarray(0, 3),
    Buffer.from([8]),
    plain.subarray(4, 10),
    Buffer.from(`${name}\0`),
    plain.subarray(10),
  ]);
};

const CODINGS: readonly Door[] = [
  { name: 'gzip', fields: [TEXT], body: gzipSync(BAD) },
  { name: 'gzip in gzip', fields: [TEXT], body: gzipSync(gzipSync(BAD)) },
  { name: 'gzip in a coding', fields: [TEXT, 'Content-Encoding: gzip'], body: gzipSync(gzipSync(BAD)) },
  { name: 'two members', fields: [TEXT], body: Buffer.concat([gzipSync(GOOD), gzipSync(BAD)]) },
  { name: 'bytes after the member', fields: [TEXT], body: Buffer.concat([gzipSync(GOOD), Buffer.from(BAD)]) },
  { name: 'a name that is base64', fields: [TEXT], body: named(base64(BAD).replaceAll('=', ''), GOOD) },
  { name: 'stored text', fields: [TEXT], body: stored(`{"event":"login","name":"login","x":"&data=${inForm(BAD)}&"}`) },
  { name: 'zlib without a word', fields: [TEXT], body: deflateSync(BAD) },
  { name: 'a coding that is none', fields: [JSON_TYPE, 'Content-Encoding: deflate'], body: GOOD },
  { name: 'stacked codings', fields: [JSON_TYPE, 'Content-Encoding: gzip, gzip'], body: gzipSync(gzipSync(GOOD)) },
  {
    name: 'another coding twice',
    fields: [JSON_TYPE, 'Content-Encoding: gzip', 'Content-Encoding: identity'],
    body: gzipSync(GOOD),
  },
];

const BODIES: readonly Door[] = [
  `{"event":"login","name":"login","event":"attack"}`,
  `{"event":"login","name":"login","Event":"attack","Name":"attack"}`,
  `{"event":"login","name":"login","__proto__":{"batch":[${BAD}],"events":[${BAD}]}}`,
  `{"batch":[],"events":[],"event":"attack","name":"attack"}`,
  `{"batch":[${GOOD}],"events":[${GOOD}],"event":"attack","name":"attack"}`,
  `{"event":"login","name":"login","_method":"PUT"}`,
  `[${BAD}]`,
  `[${GOOD},[${BAD}]]`,
  BAD,
  `${GOOD}${BAD}`,
  `${GOOD}\n${BAD}`,
  `callback(${BAD})`,
  `data=${base64(BAD)}`,
].map((body): Door => ({ name: `body ${body}`, fields: [JSON_TYPE], body }));

/** Where else PHP and others read what was sent. */
const COOKIES = [
  `data=${inForm(BAD)}`,
  'event=attack',
  'a=1; EVENT=attack',
  'event[]=attack',
  'batch=x',
  'a=1, event=attack',
];

const containerDoor = (container: string): Door => ({
  name: `a container ${container}`,
  fields: [JSON_TYPE],
  body: `{"event":"login","name":"login","${container}":[${BAD}]}`,
});

const DOORS = [...QUERIES, ...FORMS, ...TYPES, ...CODINGS, ...BODIES];

const OWN = {
  routes: [
    {
      method: 'POST',
      path: '/e',
      events: ['batch[].event', '[].event', 'event'],
      form: 'data',
      gzip: true,
      query: ['ip', '_'],
    },
    { method: 'POST', path: '/plain', events: 'event' },
  ],
};

interface Place {
  readonly api: Record<string, unknown>;
  readonly path: string;
  readonly member: string;
  readonly readsBase64: boolean;
  /** Beside one event, what the vendor's backend takes for others. Of another backend its owner says so, with a list. */
  readonly containers: readonly string[];
}

const own = { api: OWN, member: 'event', readsBase64: false, containers: [] };
const PLACES: readonly Place[] = [
  { ...own, path: '/e' },
  { ...own, path: '/plain' },
  { api: { preset: 'posthog' }, path: '/e/', member: 'event', readsBase64: true, containers: ['batch', 'events'] },
  { api: { preset: 'mixpanel' }, path: '/track', member: 'event', readsBase64: true, containers: [] },
  { api: { preset: 'segment' }, path: '/v1/t', member: 'event', readsBase64: false, containers: ['batch'] },
  { api: { preset: 'userflux' }, path: '/event/ingest', member: 'name', readsBase64: false, containers: ['events'] },
];

const fieldOf = ({ rawHeaders }: RecordedRequest, name: string): string | undefined =>
  rawHeaders.find((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name);

/** What a lenient backend finds in all that arrived. */
function holdToReaders(t: Test, { backend }: Flow, member: string, readsBase64: boolean): void {
  const received = backend.requests.map((request) => ({
    url: request.url,
    body: request.body,
    contentType: fieldOf(request, 'content-type'),
    contentEncoding: request.body[0] === 0x1f ? 'gzip' : fieldOf(request, 'content-encoding'),
  }));
  if (received.length === 0) return;
  lenientNamesIn(received, { base64: readsBase64, member }).forEach((names, i) => {
    const shown = JSON.stringify({ ...received[i], body: received[i]?.body.toString('latin1') });
    if (names.some((name) => name !== 'login')) t.fail(`a reader finds ${names.join()} in ${shown}`);
  });
}

for (const { api, path, member, readsBase64, containers } of PLACES)
  t.test(`no door leads past the limit: ${JSON.stringify(Object.keys(api))} ${path}`, async (t) => {
    const flow = await startFlow(t, {
      api,
      keys: [{ id: 'limited', type: 'write-only', secret: EVENTS_SECRET, allowedEvents: ['login'] }],
    });
    const send = ({ method, query = '', fields = [], body }: Door) =>
      flow.raw(
        written({
          method: method ?? 'POST',
          secret: null,
          target: `${path}${query}`,
          fields: [AUTHORIZATION, ...fields],
          body,
        }),
      );
    let refused = 0;
    for (const door of [...DOORS, ...containers.map(containerDoor)]) {
      const { status } = await send(door);
      t.ok(status === 204 || (status >= 400 && status < 500), `${status} ${door.name}`);
      if (status !== 204) refused++;
    }
    t.ok(refused > DOORS.length * 0.8, `${refused} of ${DOORS.length} are refused`);
    for (const method of ['GET', 'PUT', 'DELETE'])
      t.equal((await send({ name: method, method, query: `?data=${inForm(BAD)}`, body: '' })).status, 403, method);
    holdToReaders(t, flow, member, readsBase64);
    for (const cookie of [...COOKIES, `${member}=attack`])
      await send({ name: cookie, fields: [JSON_TYPE, `Cookie: session=1; ${cookie}`], body: GOOD });
    for (const request of flow.backend.requests) t.notMatch(fieldOf(request, 'cookie') ?? '', /attack|eyJ|batch|data/);
    for (const request of flow.backend.requests) {
      const names = request.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
      t.notOk(names.some((name) => /method/.test(name)));
    }
  });
