import { gunzipSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import t from 'tap';
import { compileEventFilter } from '../../src/event-filter/filter.ts';
import { eventCaseFrom } from '../support/event-bodies.ts';
import { type Envelope, openBody, type ReceivedBody } from '../../src/event-filter/envelope.ts';
import { formRule } from '../../src/event-filter/form.ts';
import { listParameters } from '../../src/lib/query.ts';

const RULE = { form: formRule('data', listParameters(['ip'])), gzip: true };
const FORM = 'application/x-www-form-urlencoded';
const TEXT = '{"a":1}';

async function open(body: string | Buffer, contentType?: string, change: Partial<ReceivedBody> = {}, rule = RULE) {
  const received = { body: Buffer.from(body), contentType, wasCoded: false, maxBytes: 1000, ...change };
  const opened = await openBody(received, rule);
  return opened === null || opened.ok ? (opened?.value ?? null) : opened.refusal.code;
}

const opened = async (...args: Parameters<typeof open>): Promise<Envelope> => {
  const envelope = await open(...args);
  if (envelope === null || typeof envelope === 'string') throw new Error(String(envelope));
  return envelope;
};

const base64 = (value: string | Buffer): string => encodeURIComponent(Buffer.from(value).toString('base64'));

void t.test('plain JSON needs no opening', async (t) => {
  for (const type of [undefined, 'application/json', 'application/x+json', 'text/plainer', 'a/b; x=text/plain'])
    t.equal(await open(`data=${base64(TEXT)}`, type), null, String(type));
  t.equal(await open(TEXT, 'text/plain', {}, { ...RULE, form: null } as never), null);
});

void t.test('JSON that is called a form or text is JSON all the same', async (t) => {
  for (const type of [FORM, 'text/plain', 'text/plain;charset=UTF-8', `${FORM}; charset=utf-8`]) {
    const { text, kept, close, isPlain } = await opened(` \n${TEXT}`, type);
    t.same([text.toString(), kept === text, close(kept) === kept, isPlain], [` \n${TEXT}`, true, true, true], type);
  }
});

void t.test('a form, by either name', async (t) => {
  for (const type of [FORM, `${FORM};charset=UTF-8`, 'text/plain', 'Text/Plain; x=y']) {
    const body = `ip=1&data=${base64(TEXT)}`;
    const envelope = await opened(body, type);
    t.same([envelope.text.toString(), envelope.kept.toString(), envelope.isPlain], [TEXT, body, false], type);
    t.equal(envelope.close(Buffer.from('[]')).toString(), `ip=1&data=${base64('[]')}`);
    t.equal(envelope.valueStart, 'ip=1&data='.length);
  }
  for (const body of ['x=1', 'hello', '', `data=${base64('x')}`, `data=${base64('"x"')}`])
    t.equal(await open(body, 'text/plain'), 'invalid_event_body', body);
  t.equal((await opened(`data=${Buffer.from('{"a":">>>>>"}').toString('base64')}`, FORM)).kept.includes('+'), false);
});

void t.test('gzip that nobody told of', async (t) => {
  const body = gzipSync(TEXT);
  for (const type of [undefined, 'text/plain', 'application/json']) {
    const envelope = await opened(body, type);
    t.same([envelope.text.toString(), envelope.kept.equals(body), envelope.isPlain], [TEXT, true, false]);
    t.equal(gunzipSync(envelope.close(Buffer.from('[2]'))).toString(), '[2]');
  }
  t.equal(await open(body, undefined, { wasCoded: true }), null, 'compressed twice: no JSON');
  t.equal(await open(body, undefined, {}, { ...RULE, gzip: false }), null);
  t.equal(await open(body, undefined, { maxBytes: 6 }), 'body_too_large');
  const broken: readonly Buffer[] = [
    Buffer.concat([body, body]),
    Buffer.concat([body, Buffer.alloc(1)]),
    body.subarray(0, -1),
    body.subarray(0, 2),
  ];
  for (const bytes of broken) t.equal(await open(bytes), 'invalid_json');
});

void t.test('gzip in the base64 of a form', async (t) => {
  const body = `data=${base64(gzipSync(TEXT))}`;
  const envelope = await opened(body, FORM);
  t.same([envelope.text.toString(), envelope.kept.toString()], [TEXT, body]);
  t.same([envelope.isPlain, envelope.valueStart], [false, 'data='.length]);
  const closed = decodeURIComponent(envelope.close(Buffer.from('[2]')).toString().slice('data='.length));
  t.equal(gunzipSync(Buffer.from(closed, 'base64')).toString(), '[2]');
  t.equal(await open(body, FORM, {}, { ...RULE, gzip: false }), 'invalid_event_body');
  t.equal(await open(body, FORM, { wasCoded: true }), 'invalid_event_body', 'compressed twice');
  t.equal(await open(`data=${base64(gzipSync(TEXT))}`, FORM, { maxBytes: 6 }), 'body_too_large');
});

void t.test('a plus sign in the base64 of gzip goes on as an escape', async (t) => {
  const texts = Array.from({ length: 99 }, (_, n) => `{"a":${n}}`);
  const text = texts.find((text) => gzipSync(text).toString('base64').includes('+')) ?? '';
  const { kept } = await opened(`ip=1&data=${gzipSync(text).toString('base64')}`, FORM);
  t.equal(kept.toString(), `ip=1&data=${base64(gzipSync(text))}`);
});

void t.test('what is left of the events of any body is what the closed body opens to', async (t) => {
  let passed = 0;
  const wrap: readonly ((body: Buffer) => Buffer)[] = [
    gzipSync,
    (body) => Buffer.from(`ip=1&data=${encodeURIComponent(body.toString())}`),
    (body) => Buffer.from(`data=${base64(body)}`),
    (body) => Buffer.from(`data=${base64(gzipSync(body))}`),
  ];
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(...wrap), async (tape, around) => {
      const { rule, body } = eventCaseFrom(tape);
      const type = around === wrap[0] ? 'application/json' : FORM;
      const envelope = await open(around(body), type, { maxBytes: 100_000 });
      if (envelope === null || typeof envelope === 'string') return;
      const result = compileEventFilter(rule)(envelope.text);
      if (!result.ok) return;
      passed++;
      const sent = result.cut ? envelope.close(result.body) : envelope.kept;
      const again = await opened(sent, type, { maxBytes: 100_000 });
      JSON.parse(again.text.toString());
      if (!again.text.equals(result.body)) throw new Error(again.text.toString());
    }),
    { numRuns: 600, seed: 11 },
  );
  t.ok(passed > 60, `${passed} bodies passed`);
});

void t.test('gzip that stands in a form as it is belongs to nothing that is read', async (t) => {
  const escaped = [...gzipSync(TEXT)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  t.equal(await open(`data=${escaped}`, FORM), 'invalid_event_body');
});
