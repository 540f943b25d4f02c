import t from 'tap';
import {
  mayBeForm,
  readJsonRequest,
  readOAuthRequest,
  speaksOAuth,
  tokenForm,
} from '../../src/tokens/token-request.ts';

const json = (text: string | Buffer) => readJsonRequest(Buffer.from(text));
const form = (text: string, authorization?: string) => readOAuthRequest(Buffer.from(text, 'latin1'), authorization);
const basic = (text: string, scheme = 'Basic') => `${scheme} ${Buffer.from(text).toString('base64')}`;
const GRANT = 'grant_type=client_credentials';
const pair = (apiKey: string, clientSecret: string) => ({ kind: 'pair', pairs: [{ apiKey, clientSecret }] });
const formOf = (contentType: string | undefined, authorization?: string) => tokenForm({ contentType, authorization });
const error = (name: string) => ({ kind: 'error', error: name });

t.test('the content type says which form', async (t) => {
  for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/json;charset="UTF-8"'])
    t.equal(formOf(type), 'json', type);
  for (const type of [
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded; charset=UTF-8',
    'application/x-www-form-urlencoded;charset=utf-8',
    'APPLICATION/X-WWW-FORM-URLENCODED ; Charset="utf-8" ',
    'application/x-www-form-urlencoded;',
    'application/x-www-form-urlencoded; charset=UTF8',
    'application/x-www-form-urlencoded; charset=us-ascii; boundary=x',
  ])
    t.equal(formOf(type), 'oauth', type);
  for (const type of [
    'text/plain',
    'text/plain; x=application/json',
    'text/plain; x="application/json;"',
    'text/plain; x="application/x-www-form-urlencoded;"',
    'application/jsonp',
    'application/json; charset=utf-16',
    'application/json, application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded; charset=utf-16',
    'application/x-www-form-urlencoded; charset=iso-8859-1; charset=utf-8',
    'application/x-www-form-urlencodedx',
    'multipart/form-data; boundary=application/json',
  ])
    t.equal(formOf(type), null, type);
  for (const type of [undefined, '']) {
    t.equal(formOf(type), 'untyped');
    t.equal(formOf(type, basic('k:s')), 'oauth', 'Basic is OAuth');
  }
  for (const text of ['grant_type=client_credentials', 'a%5Fb=c', '=c']) t.ok(mayBeForm(Buffer.from(text)), text);
  for (const text of ['', '{"a":"b=c"}', ' a=b', '<a b="c">', '\x1f\x8b=']) t.notOk(mayBeForm(Buffer.from(text)), text);
});

t.test('who expects errors in the words of OAuth', async (t) => {
  const speaks = (contentType?: string, authorization?: string) => speaksOAuth({ contentType, authorization });
  t.ok(speaks('application/x-www-form-urlencoded; charset=utf-16'));
  t.ok(speaks(undefined, basic('k:s')));
  t.ok(speaks('text/plain', basic('k:s')));
  t.ok(speaks('text/plain; x=application/json', basic('k:s')));
  t.notOk(speaks('text/plain; x="application/x-www-form-urlencoded;"'));
  t.notOk(speaks('application/json', basic('k:s')));
  t.notOk(speaks('text/plain'));
  t.notOk(speaks(undefined, 'Bearer x'));
});

t.test('the JSON form', async (t) => {
  t.same(json('{"clientSecret":"s","environmentApiKey":"k"}'), pair('k', 's'));
  t.same(json('{"clientSecret":"s\\u00e9","environmentApiKey":"k","more":[1]}'), pair('k', 's\u00e9'));
  for (const text of [
    '',
    '{',
    '[]',
    'null',
    '"text"',
    '{}',
    '{"clientSecret":"s"}',
    '{"environmentApiKey":"k"}',
    '{"clientSecret":"","environmentApiKey":"k"}',
    '{"clientSecret":"s","environmentApiKey":null}',
    '{"clientSecret":["s"],"environmentApiKey":"k"}',
    '{"clientsecret":"s","environmentapikey":"k"}',
    '\ufeff{"clientSecret":"s","environmentApiKey":"k"}',
    Buffer.from('{"clientSecret":"\xff","environmentApiKey":"k"}', 'latin1'),
  ])
    t.match(json(text), error('invalid_request'), String(text));
});

t.test('client credentials in the body', async (t) => {
  t.same(form(`${GRANT}&client_id=k&client_secret=s`), pair('k', 's'));
  t.same(form(`client_secret=a%2Bb%26c%3D+d&client_id=k%C3%A9&${GRANT}&resource=x`), pair('k\u00e9', 'a+b&c= d'));
  t.same(form(`${GRANT}&client_id=k&client_secret=s&`), pair('k', 's'));
  const wrong: Readonly<Record<string, string>> = {
    [GRANT]: 'invalid_request',
    [`${GRANT}&client_id=k`]: 'invalid_request',
    [`${GRANT}&client_secret=s`]: 'invalid_request',
    [`${GRANT}&client_id=k&client_secret=`]: 'invalid_request',
    'client_id=k&client_secret=s': 'invalid_request',
    'grant_type=&client_id=k&client_secret=s': 'invalid_request',
    [`${GRANT}&${GRANT}&client_id=k&client_secret=s`]: 'invalid_request',
    [`${GRANT}&client_id=k&client_secret=s&client_secret=t`]: 'invalid_request',
    [`${GRANT}&client_id=k&client_secret=s&client%5Fsecret=`]: 'invalid_request',
    [`${GRANT}&client_id=k&client_secret=%`]: 'invalid_request',
    [`${GRANT}&client_id=k&client_secret=%ff`]: 'invalid_request',
    [`${GRANT}&client_id=k&client_secret=\xff`]: 'invalid_request',
    'grant_type=password&username=a&password=b&client_id=k&client_secret=s': 'unsupported_grant_type',
    'grant_type=Client_Credentials&client_id=k&client_secret=s': 'unsupported_grant_type',
    [`${GRANT}&scope=admin&client_id=k&client_secret=s`]: 'invalid_scope',
    [`${GRANT}&client_id=k&client_assertion_type=urn&client_assertion=x`]: 'invalid_client',
  };
  for (const [text, name] of Object.entries(wrong)) t.match(form(text), error(name), text);
  t.same(form(`${GRANT}&scope=&client_id=k&client_secret=s`), pair('k', 's'), 'a parameter without value is absent');
});

t.test('client credentials by HTTP Basic', async (t) => {
  t.same(form(GRANT, basic('k:s')), pair('k', 's'));
  t.same(form(GRANT, basic('k:s', 'bAsIc')), pair('k', 's'));
  const encoded = { apiKey: 'k:1', clientSecret: 's+t% u:v' };
  const written = { apiKey: 'k%3A1', clientSecret: 's%2Bt%25+u:v' };
  t.same(
    form(GRANT, basic('k%3A1:s%2Bt%25+u:v')),
    { kind: 'pair', pairs: [encoded, written] },
    'cut at the first colon',
  );
  t.same(form(GRANT, basic('k:100%')), pair('k', '100%'), 'as curl sends it');
  t.same(form(`${GRANT}&client_id=k`, basic('k:s')), pair('k', 's'), 'the id may be named again');
  for (const [named, of] of [
    ['k%3A1', 'k:1'],
    ['k%253A1', 'k%3A1'],
  ] as const)
    t.equal(form(`${GRANT}&client_id=${named}`, basic('k%3A1:s')).kind, 'pair', `${of} is one of its readings`);
  t.match(form(`${GRANT}&client_id=k`, basic('k%3A1:s')), error('invalid_request'), 'which this is not');
  const wrong: readonly (readonly [string, string, string])[] = [
    [GRANT, basic('k'), 'invalid_request'],
    [GRANT, basic(':s'), 'invalid_request'],
    [GRANT, basic('k:'), 'invalid_request'],
    [GRANT, 'Basic', 'invalid_request'],
    [GRANT, 'Basic !!!', 'invalid_request'],
    [GRANT, `${basic('k:s')}, ${basic('l:t')}`, 'invalid_request'],
    [`${GRANT}&client_secret=s`, basic('k:s'), 'invalid_request'],
    [`${GRANT}&client_id=l`, basic('k:s'), 'invalid_request'],
    [`${GRANT}&client_id=k&client_secret=s`, 'Bearer x', 'invalid_client'],
    [`${GRANT}&client_id=k&client_secret=s`, 'Basicx', 'invalid_client'],
    [`${GRANT}&client_id=k&client_secret=s`, '', 'invalid_client'],
  ];
  for (const [text, authorization, name] of wrong)
    t.match(form(text, authorization), error(name), `${text} ${authorization}`);
});

t.test('what is wrong is said without quoting the request', async (t) => {
  for (const read of [
    json('{"clientSecret":"hunter2"}'),
    form(`${GRANT}&client_secret=hunter2`),
    form(GRANT, basic('hunter2')),
    form(`${GRANT}&client_id=other`, basic('k:hunter2')),
  ]) {
    t.equal(read.kind, 'error');
    t.notMatch(JSON.stringify(read), 'hunter2');
  }
});

t.test('the name of a parameter without a value is its whole text', async (t) => {
  const body = `${GRANT}&client_id=k&client_secret=s&client_secretx&client_idx`;
  t.match(form(body), pair('k', 's'));
  t.match(form(`${GRANT}&client_id=k&client_secret=s&client_secret`), error('invalid_request'));
});

t.test('what is nearly a pair is none', async (t) => {
  t.match(json('{"clientSecret":"s","environmentApiKey":""}'), error('invalid_request'));
  t.match(json('{"clientSecret":"","environmentApiKey":"k"}'), error('invalid_request'));
  t.match(form(GRANT, 'Basic //79'), error('invalid_request'), 'bytes that are no UTF-8');
  t.match(form(GRANT, `${basic('k:s')}===`), error('invalid_request'), 'more padding than base64 has');
  t.match(
    form(`\xef\xbb\xbf${GRANT}`, basic('k:s')),
    error('invalid_request'),
    'a byte order mark is part of the name',
  );
  t.same(form(`${GRANT}&scope`, basic('k:s')), pair('k', 's'), 'a parameter without value is not there');
  t.same(form(`${GRANT}&client_id=k&client_secret=s&client_assertion`), pair('k', 's'));
});
