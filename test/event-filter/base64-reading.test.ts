import * as fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { beginsAsBase64Json, holdsBase64Json } from '../../src/event-filter/base64-reading.ts';

const reads = (body: string): boolean => beginsAsBase64Json(Buffer.from(body));
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');

t.test('JSON in base64 at the beginning, whatever stands around it', async (t) => {
  const event = '{"event":"attack","x":">>>???"}';
  for (const hidden of [event, `[${event}]`, ` \n${event}`, `\ufeff${event}`, '[1,{"event":"a"}]', '{ "a":1}'])
    for (const text of [base64(hidden), base64(hidden).replaceAll('+', '-').replaceAll('/', '_')])
      for (const body of [`{"${text}":1}`, `["${text}"]`, `"${text}"`, ` {"${text.replaceAll('A', 'A!')}":1}`, text])
        t.equal(reads(body), true, `${hidden} in ${body}`);
  t.equal(reads(`{"${base64(gzipSync(event))}":1}`), true, 'gzip');
  t.equal(reads(`{"${base64(Buffer.from(event, 'utf16le'))}":1}`), true, 'UTF-16');
  t.equal(reads(`{"x":1,"data:application/json;base64,${base64(event)}":1}`), true, 'a data URL');
  t.equal(reads(`{"x":"&data=${base64(event)}&"}`), true, 'a form');
  t.equal(reads(`{"=${base64(event)}":1}`), true);
  for (const prefix of ['base64,', '&data='])
    t.equal(reads(`{"x":"${prefix}no${prefix}!${prefix}${base64(event)}"}`), true, `after the last ${prefix}`);
});

t.test('white space of every kind hides nothing, before the first brace and behind it', async (t) => {
  for (const space of [' ', '\t', '\n', '\r', '\0', '\r\n\t ']) {
    t.equal(reads(`{"${base64(`${space}{"event":"a"}`)}":1}`), true, JSON.stringify(space));
    t.equal(reads(`{"${base64(`{${space}"event":"a"}`)}":1}`), true, JSON.stringify(space));
    t.equal(reads(`{"${base64(`[${space}{"event":"a"}]`)}":1}`), true, JSON.stringify(space));
  }
  for (const other of ['\x0b', '\x0c', '\x01'])
    t.equal(reads(`{"${base64(`${other}{"event":"a"}`)}":1}`), false, JSON.stringify(other));
});

t.test('what the SDKs and others send is no base64', async (t) => {
  for (const body of [
    '{"api_key":"k","batch":[{"event":"login"}]}',
    '{"batch":[]}',
    '[{"event":"login","properties":{}}]',
    '{"extra":1,"event":"login"}',
    '{"external_id":"x"}',
    '{"eye":1}',
    '{"ID":1}',
    '{"e":1}',
    '[]',
    '{}',
    '',
    '{"x":"data="}',
    '{"x":"base64,"}',
    '{"Whole":1}',
  ])
    t.equal(reads(body), false, body);
});

/** PHP without `strict`, and Python without `validate`, pass over what is no base64; Buffer does so too, and knows both alphabets. */
const LENIENT: readonly ((body: string) => string)[] = [
  (body) => Buffer.from(body.replaceAll(/[^A-Za-z0-9+/]/g, ''), 'base64').toString(),
  (body) => Buffer.from(body.replaceAll('=', ''), 'base64').toString(),
  (body) => Buffer.from(body.replaceAll(' ', '+').replaceAll(/[^A-Za-z0-9+/]/g, ''), 'base64').toString(),
];

t.test('nothing that such a reader takes for the beginning of an object or array with members gets by', (t) => {
  const object = fc.dictionary(fc.string(), fc.json(), { minKeys: 1 }).map((value) => JSON.stringify(value));
  const hidden = fc
    .oneof(
      object,
      object.map((text) => `[${text}]`),
    )
    .map(base64);
  const noise = fc.stringMatching(/^[ "{}[\]:,.!?*()~\n]{0,5}$/);
  const body = fc
    .tuple(noise, hidden, fc.array(fc.tuple(fc.nat(40), noise)))
    .map(([before, text, inserts]) =>
      inserts.reduce((all, [at, what]) => all.slice(0, at) + what + all.slice(at), before + text),
    );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(body, (text) => {
        const isRead = LENIENT.some((decode) => /^[\s\ufeff]*(?:\{\s*"|\[\s*\{)/.test(decode(text)));
        return !isRead || reads(text);
      }),
    ),
  );
  t.end();
});

t.test('white space in base64 is not followed for ever: what is not clear by then is refused', async (t) => {
  t.equal(reads(`{"${base64(' '.repeat(30_000))}":1}`), false, 'no JSON at all');
  t.equal(reads(`{"${base64(`${' '.repeat(30_000)}{}`)}":1}`), true);
  t.equal(reads(`{"${base64(' '.repeat(60_000))}":1}`), true, 'whatever comes then');
});

void t.test('a body that is no JSON: a whole value, or gzip, beside the one that is judged', async (t) => {
  const hidden = Buffer.from('{"event":"attack"}').toString('base64');
  const holds = (body: string | Buffer, except = 0): boolean => holdsBase64Json(Buffer.from(body), except);
  t.equal(holds(`data=${hidden}`, 5), false, 'the value itself');
  t.equal(holds(`data=${hidden}`), true, 'unless it is another one');
  t.equal(holds(`_=${hidden}&data=e30=`, `_=${hidden}&data=`.length), true, 'before it');
  t.equal(holds(`ip=base64,${hidden}&data=e30=`, `ip=base64,${hidden}&data=`.length), true);
  t.equal(holds(Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]), Buffer.from(`${hidden}\0`)])), true);
  t.equal(holds('eyJ'), false, 'what only begins like one');
  t.equal(holds('x=1&data=eyJ!'), false);
  t.equal(holds('data=eyJ!'.repeat(9)), true, 'made of beginnings');
  t.equal(holds(Buffer.from('H4sIAAAA')), true, 'gzip');
});
