import * as fc from 'fast-check';
import t from 'tap';
import {
  compileNameReader,
  countReadAs,
  listParameters,
  objectionToQuery,
  queryParameters,
} from '../../src/lib/query.ts';

t.test('names and values in order, with their places', async (t) => {
  const read = (query: string) =>
    queryParameters(query).map(({ name, value, start, end }) => [name, value, query.slice(start, end)]);
  t.same(read(''), []);
  t.same(read('?'), []);
  t.same(read('?a=b&c'), [
    ['a', 'b', 'a=b'],
    ['c', '', 'c'],
  ]);
  t.same(read('?a+b=c%20d+e&=x&&a=b=c'), [
    ['a b', 'c d e', 'a+b=c%20d+e'],
    ['', 'x', '=x'],
    ['', '', ''],
    ['a', 'b=c', 'a=b=c'],
  ]);
  t.same(read('?a=%zz&b=%ff'), [
    ['a', '%zz', 'a=%zz'],
    ['b', '\u00ff', 'b=%ff'],
  ]);
});

void t.test('broken escapes are read as they always were', async (t) => {
  const withExceptions = (text: string): string => {
    const spaced = text.replaceAll('+', ' ');
    try {
      return decodeURIComponent(spaced);
    } catch {
      return spaced.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    }
  };
  const part = fc.constantFrom('a', '+', '%', '%4', '%zz', '%41', '%c3', '%A9', '%c3%a9', '%ff', '%00', '%F0%9F%98%80');
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const text = parts.join('');
        return (queryParameters(`?${text}`)[0]?.name ?? '') === withExceptions(text);
      }),
      { numRuns: 2_000 },
    ),
  );
});

/** What some backend reads as `api_key`. */
const LOOK_ALIKES = [
  'api_key',
  'API_KEY',
  'Api_Key',
  'api%5fkey',
  'api%255Fkey',
  'api%25255Fkey',
  'api%u005fkey',
  'ap%C4%B1_key',
  'api.key',
  'api%2ekey',
  'api+key',
  'api%20key',
  'api[key',
  'api%5Bkey',
  'a%70i.K%65y',
  '%61%70%69%5f%6b%65%79',
  'api_key%00',
  'api_key%00x',
  'api_key%2500x',
  'api%00_key',
  'api.key%00x',
  'api_%E2%84%AAey',
  'api_%E2%80%8Bkey',
  '+api_key',
  '%20%20api_key',
  '%09api_key',
  'api_key+',
  'api_key[]',
  'api_key[0]',
  'api.key[x][y]',
  'api_key[x',
  '?api_key',
  '%3Fapi_key',
  'api_key%',
  'a%pi_key',
  'a%pi%5fke%79',
  'api%c1%9fkey',
  'api%25c1%259fkey',
  '%EF%BD%81pi_key',
  'api%EF%BC%BFkey',
  'api%EF%BC%8Ekey',
  'api_%uFF4Bey',
  'api_%F0%9D%96%90ey',
  'api_key%5B%5D',
  'api_key]',
  '[api_key]',
  '%5b%5Bapi_key',
  '+api.key[]',
  '[api_key][]',
  '[]api_key',
];
const OTHERS = [
  'api_keys',
  'my_api_key',
  'apikey',
  'api__key',
  '_api_key',
  'api[key]',
  'x[api_key]',
  'key',
  '',
  '%zz',
  'api',
  'api_k%c3%a9y',
  'api_key%zz',
  'api%c1key',
  'api%2525255Fkey',
  '%EF%BD%81pi',
];

t.test('a name in every spelling that some backend takes for it', async (t) => {
  const isKey = compileNameReader('api_key');
  for (const name of LOOK_ALIKES) {
    t.equal(isKey(name), true, name);
    for (const query of [`?${name}=x`, `?a=b&${name}`, `?a=b;${name}=x;c`, `?;&${name}=`])
      t.equal(countReadAs(query, isKey), 1, query);
  }
  for (const name of OTHERS) t.equal(isKey(name), false, name);
  t.equal(countReadAs('?api_key=a&b;API.key=c&api_key[]=d', isKey), 3);
  const isDotted = compileNameReader('Api.Key~1');
  for (const name of ['api.key~1', 'API_KEY~1', 'api%20key%7e1']) t.equal(isDotted(name), true, name);
});

t.test('a text that is too long to be the name is never normalised, which may take squared time', async (t) => {
  const isKey = compileNameReader('api_key');
  const { normalize } = String.prototype;
  let longest = 0;
  const normalized = function normalized(this: string, form?: string): string {
    longest = Math.max(longest, this.length);
    return normalize.call(this, form);
  };
  Object.assign(String.prototype, { normalize: normalized });
  t.teardown(() => Object.assign(String.prototype, { normalize }));
  const answers = ['%EF%BD%81pi_key', '%CC%81%CC%A3'.repeat(5000), `api_key${'%EF%BD%81'.repeat(5000)}`].map(isKey);
  Object.assign(String.prototype, { normalize });
  t.same(answers, [true, false, false]);
  t.ok(longest > 0 && longest <= 8 * 'api_key'.length, `${longest} characters at most`);
});

t.test('whatever a name is wrapped in, and however often it is encoded', (t) => {
  const isKey = compileNameReader('api_key');
  const encode = (text: string, every: boolean): string =>
    text
      .split('')
      .map((c) => (every || !/[a-z]/i.test(c) ? `%${c.charCodeAt(0).toString(16).padStart(2, '0')}` : c))
      .join('');
  const spelt = fc
    .tuple(
      fc.constantFrom('', ' ', '[', '  '),
      fc.constantFrom('_', '.', ' ', '['),
      fc.constantFrom('', '[]', '[x]', '\0', '\0x', ' ', '[x][y]'),
      fc.boolean(),
    )
    .map(([before, joint, after, upper]) => `${before}${upper ? 'API' : 'api'}${joint}key${after}`)
    .filter((text) => !text.includes('[key[') && !/^\[api\[/i.test(text));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(spelt, fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }), (text, times) =>
        isKey(times.reduce(encode, text)),
      ),
    ),
  );
  t.end();
});

t.test('a query of listed parameters, each once', async (t) => {
  const listed = listParameters(['ip', '_', 'key', 'locationEnrichment', 'v=2', 'v=gzip-js']);
  for (const query of [
    '',
    '?',
    '?&',
    '?ip=1',
    '?ip',
    '?_=1&IP=0&locationenrichment=true',
    '?ip=a=b',
    '?v=2',
    '?V=gzip-js&ip=a%26_=x',
    '?ip=%26%3B',
    '?ip=a%25252526data=b',
  ])
    t.equal(objectionToQuery(query, listed), null, query);
  for (const query of [
    '?data=x',
    '?ip=1&data=x',
    '?ip=1;data=x',
    '?=x',
    '?ip%E2%80%8B=1',
    '?i%EF%BC%B0=1',
    '?ip[]=1',
    '?ip[data]=1',
    '?ip%00=1',
    '?ip%00data=1',
    '?%2569p=1',
    '?+ip=1',
    '?ip.x=1',
    '?locationEnrichment%E2%84%AA=1',
    '?loc%61tionEn%D1%80ichment=1',
    '?%E2%84%AAey=1',
    '?ip%26data=x',
    '?ip%3D1%26_=2',
    '?ip;data',
    `?${'%C3%A9'.repeat(300)}=1`,
    '?%ff=1',
    '?ip=1&&x',
    '?%69p=a%26data%3Db',
    '?ip=a%2526data=b',
    '?ip=a%252526data=b',
    '?ip=a%3Bdata',
    '?ip=a%3fdata=1',
    '?ip=a?data=1',
    '??ip=1',
    '?v',
    '?v=',
    '?v=3',
    '?v=%32',
    '?v=2%26x',
  ])
    t.equal(objectionToQuery(query, listed), 'unlisted', query);
  for (const query of [
    '?ip=1&ip=2',
    '?ip&IP',
    '?ip=1;ip=2',
    '?ip=1%26ip',
    '?v=2&v=gzip-js',
    '?%69p=1&ip=1',
    '?locationEnrichment&locationENRICHMENT',
  ])
    t.equal(objectionToQuery(query, listed), 'repeated', query);
});
