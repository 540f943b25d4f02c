import t from 'tap';
import { mayBeForm } from '../../src/event-filter/form-media.ts';

t.test('a form to whoever goes by the whole field, its beginning, or any part of it', async (t) => {
  for (const type of [
    'application/x-www-form-urlencoded',
    'APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8',
    'application/x-www-form-urlencoded+json',
    'application/x-url-encoded',
    'multipart/form-data; boundary=x',
    'multipart/mixed; boundary=x',
    'multipart/related',
    'Multipart/anything',
    'multipart',
    'text/plain, multipart/form-data',
    ', application/x-www-form-urlencoded',
    'application/json; x="application/x-www-form-urlencoded"',
    'application/json; x="multi\\part/x"',
    'image/png; x=multipart; boundary=y',
    'application/form+json',
    'application/x-form.a+json',
  ])
    t.equal(mayBeForm(type), true, type);
});

t.test('other types are none, also those with the word in them', async (t) => {
  for (const type of [
    '',
    'application/json',
    'application/octet-stream',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'application/format+json',
    'application/vnd.platform+json',
    'text/plain; charset=utf-8; format=flowed',
    'application/graphql',
    'application/json; x="application/form+json"',
    'application/forms+json',
    'application/form',
  ])
    t.equal(mayBeForm(type), false, type);
});
