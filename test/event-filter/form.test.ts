import * as fc from 'fast-check';
import t from 'tap';
import { formRule, readForm, writeForm } from '../../src/event-filter/form.ts';
import { listParameters } from '../../src/lib/query.ts';

const RULE = formRule('data', listParameters(['ip', 'v=2', '$lib']));
const ANY = formRule('data', null);

const read = (form: string, rule = RULE): string => {
  const found = readForm(Buffer.from(form), rule);
  return found.ok ? found.value.value.toString() : found.refusal.code;
};

const TEXT = '{"a":"b c+d"}';
const JSON_VALUE = encodeURIComponent(TEXT);
const BASE64 = Buffer.from(TEXT).toString('base64');

void t.test('JSON or base64, in exactly one field', async (t) => {
  for (const form of [
    `data=${JSON_VALUE}`,
    `data=${JSON_VALUE.replaceAll('%20', '+')}`,
    `data=${JSON_VALUE.replaceAll(/%../g, (escape) => escape.toLowerCase())}`,
    `data=${encodeURIComponent(BASE64)}`,
    `data=${BASE64}`,
    `ip=1&data=${JSON_VALUE}&v=2`,
    `%24lib=x&IP=&data=${JSON_VALUE}`,
  ])
    t.equal(read(form), TEXT, form);
  t.equal(read(`data=${encodeURIComponent('[1]')}`), '[1]');
});

void t.test('a field without a value is told as such, also where it is named as the one', async (t) => {
  const whyOf = (form: string): string => {
    const found = readForm(Buffer.from(form), RULE);
    return found.ok ? '' : found.refusal.why;
  };
  for (const form of ['ip', 'datax', 'ip=1&datax', 'data=x&ip']) t.equal(whyOf(form), whyOf('ip&data=x'), form);
});

void t.test('what could be taken apart in another way', async (t) => {
  for (const form of [
    '',
    'data',
    'data=',
    '=',
    'ip=1',
    `data=${JSON_VALUE}&`,
    `&data=${JSON_VALUE}`,
    `ip=1&&data=${JSON_VALUE}`,
    `data=${JSON_VALUE}&data=${JSON_VALUE}`,
    `data=${JSON_VALUE}&data`,
    `data=${JSON_VALUE}&Data=${JSON_VALUE}`,
    `Data=${JSON_VALUE}`,
    `%64ata=${JSON_VALUE}`,
    `data=${JSON_VALUE}&%64ata=1`,
    `data=${JSON_VALUE}&data[]=1`,
    `data=${JSON_VALUE}&data%5B%5D=1`,
    `data=${JSON_VALUE}&data%00x=1`,
    `data=${JSON_VALUE}&+data=1`,
    `data=${JSON_VALUE}&.data=1`,
    `data=${JSON_VALUE};data=1`,
    `ip=1;data=${JSON_VALUE}`,
    `data=${JSON_VALUE}&ip=1&ip=2`,
    `data=${JSON_VALUE}&v=3`,
    `data=${JSON_VALUE}&ip=1%26x`,
    `data=${JSON_VALUE}&event=attack`,
    `data=${JSON_VALUE}&_method=PUT`,
    `data=${JSON_VALUE}\n`,
    `data=${JSON_VALUE}\r\ndata=1`,
    `{"data":1}`,
    `?data=${JSON_VALUE}`,
    `x?data=${JSON_VALUE}`,
  ])
    t.equal(read(form), 'invalid_event_body', form);
});

void t.test('values are percent-encoded strictly', async (t) => {
  for (const value of [
    TEXT,
    '{}',
    `${JSON_VALUE}=`,
    JSON_VALUE.replace('%22%3A', '%2%3A'),
    JSON_VALUE.replace('%22', '%'),
    `${JSON_VALUE}%`,
    `${JSON_VALUE}%4`,
    JSON_VALUE.replace('%22', '%u0022'),
    JSON_VALUE.replace('%22', '%0x22'),
    JSON_VALUE.replace('%22', '"'),
    JSON_VALUE.replace('a', 'é'),
    JSON_VALUE.replace('a', '\0'),
    JSON_VALUE.replace('a', 'a b'),
    `+${JSON_VALUE}`,
    `%20${JSON_VALUE}`,
  ])
    t.equal(read(`data=${value}`), 'invalid_event_body', value);
});

void t.test('base64 has one form', async (t) => {
  const text = Buffer.from('{"a":">>>???"}');
  const base64 = text.toString('base64');
  t.match(base64, /[+/]/);
  t.equal(read(`data=${encodeURIComponent(base64)}`), text.toString());
  for (const value of [
    base64.replace(/=+$/, ''),
    text.toString('base64url'),
    base64.replaceAll('+', '-').replaceAll('/', '_'),
    `${base64.slice(0, 8)} ${base64.slice(8)}`,
    `${base64.slice(0, 8)}%0A${base64.slice(8)}`,
    `${base64}=`,
    `data:application/json;base64,${base64}`,
    base64.replace(/(.)=$/, (_, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=`),
    'e',
    '====',
  ])
    t.equal(read(`data=${value}`), 'invalid_event_body', value);
});

void t.test('a plus sign in base64 is one, and goes on as an escape', async (t) => {
  const text = '{"a":">>>>>"}';
  const base64 = Buffer.from(text).toString('base64');
  t.match(base64, /\+/);
  const found = readForm(Buffer.from(`data=${base64}`), RULE);
  t.match(found, { ok: true, value: { isLoose: true, isBase64: true } });
  if (found.ok) {
    t.equal(found.value.value.toString(), text);
    t.notMatch(writeForm(Buffer.from(`data=${base64}`), found.value, found.value.value).toString(), /\+/);
  }
  t.match(readForm(Buffer.from(`data=${encodeURIComponent(base64)}`), RULE), { ok: true, value: { isLoose: false } });
});

void t.test('where no events are judged, other fields may be what they are', async (t) => {
  t.equal(read(`data=${JSON_VALUE}&verbose=1&x=`, ANY), TEXT);
  for (const form of [`data=${JSON_VALUE}&data[]=1`, `x=1&x%5B=2&data=${JSON_VALUE}`, 'x=1'])
    t.equal(read(form, ANY), 'invalid_event_body', form);
});

void t.test('another value is written as the first one was', async (t) => {
  const other = '{"é":"& =+%"}';
  const rewritten = (form: string): string => {
    const body = Buffer.from(form);
    const found = readForm(body, RULE);
    return found.ok ? writeForm(body, found.value, Buffer.from(other)).toString() : '';
  };
  t.equal(rewritten(`ip=1&data=${JSON_VALUE}&v=2`), `ip=1&data=${encodeURIComponent(other)}&v=2`);
  t.equal(rewritten(`data=${BASE64}&ip=1`), `data=${encodeURIComponent(Buffer.from(other).toString('base64'))}&ip=1`);
  fc.assert(
    fc.property(fc.json(), fc.boolean(), (text, inBase64) => {
      const value = inBase64 ? Buffer.from(`{${text}`).toString('base64') : `[${text}`;
      const body = Buffer.from(`ip=1&data=${encodeURIComponent(value)}`);
      const found = readForm(body, RULE);
      if (!found.ok) throw new Error(found.refusal.why);
      return writeForm(body, found.value, found.value.value).equals(body);
    }),
  );
});

void t.test('every form reader finds what was read', async (t) => {
  let accepted = 0;
  const piece = fc.constantFrom(
    'data=',
    '&',
    '%7B',
    '%22a%22',
    '%7D',
    'e30=',
    '+',
    ';',
    '[]',
    'ip=',
    '/',
    'eyJhIjoxfQ==',
    '%26',
  );
  fc.assert(
    fc.property(fc.constantFrom('data=', 'ip=/&data=', ''), fc.array(piece, { maxLength: 6 }), (start, pieces) => {
      const text = start + pieces.join('');
      const found = readForm(Buffer.from(text), RULE);
      if (!found.ok) return true;
      accepted++;
      const { isBase64, value } = found.value;
      const [held = '', ...more] = new URLSearchParams(text).getAll('data');
      return (
        more.length === 0 &&
        Buffer.from(isBase64 ? held.replaceAll(' ', '+') : held, isBase64 ? 'base64' : 'utf8').equals(value)
      );
    }),
    { numRuns: 5000, seed: 3 },
  );
  t.ok(accepted > 30, `${accepted} were read`);
});

void t.test('what is looked at in many ways is short', async (t) => {
  const longest = 'a'.repeat(256);
  t.equal(read(`${longest}=1&data=${JSON_VALUE}`, ANY), TEXT);
  t.equal(read(`${longest}a=1&data=${JSON_VALUE}`, ANY), 'invalid_event_body', 'a name');
  // With its name, an equals sign, and no separator.
  const most = 16_384 - 'ip='.length;
  t.equal(read(`ip=${'1'.repeat(most)}&data=${JSON_VALUE}`), TEXT);
  t.equal(read(`data=${JSON_VALUE}&ip=${'1'.repeat(most)}`), TEXT, 'wherever they stand');
  t.equal(read(`ip=${'1'.repeat(most + 1)}&data=${JSON_VALUE}`), 'invalid_event_body', 'listed fields');
  t.equal(read(`ip=1&%24lib=${'1'.repeat(most)}&data=${JSON_VALUE}`), 'invalid_event_body', 'all together');
  t.equal(read(`x=${'1'.repeat(most + 1)}&data=${JSON_VALUE}`, ANY), TEXT, 'nobody looks at it');
});

void t.test('a credential stands in no other field', async (t) => {
  for (const others of [null, listParameters(['token'])]) {
    const rule = formRule('data', others, ['token', 'api_key']);
    t.equal(read(`data=${JSON_VALUE}`, rule), TEXT);
    for (const field of ['token=k', 'Token=k', 'api_key=k', 'api.key=k', 'token='])
      t.equal(read(`data=${JSON_VALUE}&${field}`, rule), 'invalid_event_body', field);
  }
});
