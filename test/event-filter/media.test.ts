import zlib from 'node:zlib';
import t from 'tap';
import { checkMedia, contentCoding, isUrlEncoded } from '../../src/event-filter/media.ts';

const coding = (value: string | undefined, count?: number): string => {
  const decision = contentCoding(value, count);
  return decision.ok ? decision.value : decision.refusal.code;
};

void t.test('JSON, plain text and no type are read, in UTF-8 or without a charset', async (t) => {
  for (const type of [
    undefined,
    'application/json',
    'Application/JSON',
    'application/json;',
    'application/json; ; charset=utf-8',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'application/json ; charset="utf-8"',
    'application/json; profile="a;b=c"',
    'application/json; profile="a\\"; b=c"; charset=utf-8',
    'application/vnd.api+json',
    'application/cloudevents-batch+json; charset=utf-8',
    'application/format+json',
    'text/plain',
    'text/plain;charset=UTF-8',
  ])
    t.equal(checkMedia(type), null, String(type));
});

void t.test('other types, other charsets and malformed fields are not', async (t) => {
  for (const type of [
    '',
    'json',
    '/',
    'application/',
    'application/xml',
    'application/jsonx',
    'application/json+xml',
    'application/+json',
    'text/json',
    'text/html',
    'multipart/form-data; boundary=x',
    'multipart/json+json',
    'text/x+json',
    'image/x+json',
    'application/x-www-form-urlencoded+json',
    'Application/X-WWW-Form-UrlEncoded+JSON; charset=utf-8',
    'application/x-www-form+json',
    'application/x-url-encoded+json',
    'application/form-data+json',
    'application/formdata+json',
    'application/form+json',
    'application/x-form+json',
    'application/multipart+json',
    'application/vnd.multipart.form+json',
    'application/vnd.urlencoded+json',
    'application/json; boundary=x; a=multipart',
    'application/json; a="application/x-www-form-urlencoded"',
    'application/json; a="multi\\part/form-data"',
    'text/plain; a="multipart/form-data; boundary=x"',
    'application/x-www-form-urlencoded',
    'application/octet-stream',
    'application/json, text/plain',
    'application/json text/plain',
    ' application/json',
    'application /json',
    'application/json; charset=latin1',
    'application/json; charset=utf-16',
    'application/json; charset=utf8',
    'application/json; charset=',
    'application/json; charset=""',
    'application/json; charset = utf-8',
    'application/json; charset="utf\\-8"',
    'application/json; charset=" utf-8"',
    "application/json; charset='utf-8'",
    'application/json; charset=utf-8; charset=utf-8',
    'application/json; charset=utf-8; CHARSET=utf-16',
    "application/json; charset*=utf-8''utf-16",
    'application/json; charset="utf-8',
    'application/json; charset=utf-8 x',
    'application/json; charset',
    'application/json; profile="a" charset=latin1',
    'application/json; profile="a;charset=shift_jis"',
    'application/json; profile="a\\"; charset=shift_jis;"; charset=utf-8',
    'application/json; profile="a;CHAR\\set=shift_jis"',
    'application/json; xcharset=shift_jis',
    'text/plain; x-charset="utf-7"; charset=utf-8',
    'application/json\0',
  ])
    t.equal(checkMedia(type)?.code, 'unsupported_media_type', JSON.stringify(type));
  t.match(checkMedia('nonsense')?.why, /malformed$/);
});

void t.test('a long field is judged in the time its length takes', async (t) => {
  t.equal(checkMedia(`application/json${'; a="\\"'.repeat(20_000)}`)?.code, 'unsupported_media_type');
  t.equal(checkMedia(`application/json${';  '.repeat(20_000)}`), null);
});

void t.test('at most one known content coding', async (t) => {
  t.equal(coding(undefined), 'identity');
  t.equal(coding('identity'), 'identity');
  t.equal(coding('gzip'), 'gzip');
  t.equal(coding('GZip'), 'gzip');
  t.equal(coding('x-gzip'), 'gzip');
  t.equal(coding('deflate'), 'deflate');
  t.equal(coding('br'), 'br');
  t.equal(coding('zstd'), 'zstdDecompress' in zlib ? 'zstd' : 'unsupported_encoding');
  for (const value of [
    '',
    ' ',
    'gzip, gzip',
    'gzip,br',
    'identity, gzip',
    ', gzip',
    'compress',
    'x-br',
    'gzip;q=1',
    '*',
  ])
    t.equal(coding(value), 'unsupported_encoding', JSON.stringify(value));
  t.equal(coding('gzip', 2), 'unsupported_encoding');
  t.equal(coding('identity', 2), 'unsupported_encoding');
});

void t.test('a urlencoded form, with nothing else said of it', async (t) => {
  const form = 'application/x-www-form-urlencoded';
  for (const type of [form, form.toUpperCase(), `${form}; charset=UTF-8`, `${form};charset="utf-8"`])
    t.equal(isUrlEncoded(type), true, type);
  for (const type of [
    `${form}+json`,
    `${form}; charset=latin1`,
    `${form}; charset=utf-8; charset=latin1`,
    `${form}; x=y`,
    `${form};`,
    `${form}, text/plain`,
    ` ${form}`,
    'application/x-url-encoded',
    'multipart/form-data; boundary=x',
    'text/plain',
  ])
    t.equal(isUrlEncoded(type), false, type);
});
