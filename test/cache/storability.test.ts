import t from 'tap';
import { cacheDirective, contentLength, storability } from '../../src/cache/storability.ts';

const of = (status: number, ...headers: string[]) => storability({ status, statusText: '', headers }, false);

t.test('a 200 is kept unless it says that it must not', async (t) => {
  t.same(of(200, 'Content-Type', 'application/json'), { kind: 'storable', vary: [] });
  const forbidding: readonly (readonly string[])[] = [
    ['Set-Cookie', 'a=1'],
    ['set-cookie', ''],
    ['Cache-Control', 'no-store'],
    ['cache-control', 'private, No-Store'],
    ['Cache-Control', 'max-age=1', 'Cache-Control', 'no-store'],
    ['Vary', '*'],
    ['Vary', 'Accept, *'],
    ['Vary', 'Accept', 'Vary', '*'],
    ['Vary', 'not a name'],
    ['Vary', Array.from({ length: 17 }, (_, i) => `x-${i}`).join()],
  ];
  for (const headers of forbidding) t.equal(of(200, ...headers).kind, 'unstorable', headers.join(' '));
});

t.test("how long is the key's setting: what frameworks send unasked does not forbid", async (t) => {
  for (const value of ['private', 'no-cache', 'max-age=0, must-revalidate'])
    t.equal(of(200, 'Cache-Control', value).kind, 'storable', value);
});

t.test('no other status is kept', async (t) => {
  for (const status of [201, 202, 203, 204, 206, 301, 302, 304, 400, 401, 403, 404, 410, 429])
    t.equal(of(status).kind, 'unstorable', String(status));
});

t.test('a backend that fails is a failure, shared unless it speaks to one client', async (t) => {
  t.same(of(500), { kind: 'failure', shareable: true });
  t.same(of(503, 'Retry-After', '1'), { kind: 'failure', shareable: true });
  for (const headers of [
    ['Set-Cookie', 'a=1'],
    ['Cache-Control', 'no-store'],
    ['Vary', '*'],
    ['Vary', 'Accept'],
  ])
    t.same(of(500, ...headers), { kind: 'failure', shareable: false }, headers.join(' '));
});

t.test('names of Vary are one set, however they are written', async (t) => {
  t.same(of(200, 'Vary', 'X-B, accept ,,x-b', 'vary', 'X-A'), { kind: 'storable', vary: ['accept', 'x-a', 'x-b'] });
  t.same(
    of(200, 'Content-Encoding', 'gzip'),
    { kind: 'storable', vary: ['accept-encoding'] },
    'a coded body depends on what was asked for',
  );
  t.same(of(200, 'Content-Encoding', 'gzip', 'Vary', 'Accept-Encoding'), {
    kind: 'storable',
    vary: ['accept-encoding'],
  });
});

t.test('a length is one plain number', async (t) => {
  t.equal(contentLength(['content-length', '12']), 12);
  for (const value of ['', '-1', '1e3', '0x10', '1, 1', '12 '])
    t.equal(contentLength(['Content-Length', value]), null, value);
  t.equal(contentLength([]), null);
});

const use = (maxAge: number) => ({ kind: 'use', maxAge });

t.test('what a client asks of the cache', async (t) => {
  const cases: readonly (readonly [string | undefined, object])[] = [
    [undefined, use(Infinity)],
    ['', use(Infinity)],
    ['no-cache', { kind: 'refresh' }],
    ['NO-CACHE', { kind: 'refresh' }],
    ['max-age=60 , no-cache', { kind: 'refresh' }],
    ['no-cache, max-age=60', { kind: 'refresh' }],
    ['no-store', { kind: 'bypass' }],
    ['no-cache, no-store', { kind: 'bypass' }],
    ['max-age=60', use(60)],
    ['max-age="60"', use(60)],
    ['max-age=0', use(0)],
    ['max-age=soon', use(0)],
    ['max-age', use(0)],
    ['max-stale=60', use(Infinity)],
    ['x-no-cache', use(Infinity)],
  ];
  for (const [value, directive] of cases) t.same(cacheDirective(value), directive, String(value));
});

t.test('an age is digits alone, in quotes or not; of anything else the freshest answer is asked for', async (t) => {
  for (const value of ['5', '"5"']) t.same(cacheDirective(`max-age=${value}`), { kind: 'use', maxAge: 5 }, value);
  for (const value of ['5x', '"5"x', 'x5', '5.5', '-5', '', '5 5'])
    t.same(cacheDirective(`max-age=${value}`), { kind: 'use', maxAge: 0 }, value);
});

t.test('what is private is kept for those who are one, and not for strangers', async (t) => {
  const told = (isShared: boolean, value: string) =>
    storability({ status: 200, statusText: '', headers: ['Cache-Control', value] }, isShared).kind;
  for (const value of ['private', 'max-age=60, Private', 'private="x-a"'])
    t.same([told(false, value), told(true, value)], ['storable', 'unstorable'], value);
  t.equal(told(true, 'public, max-age=60'), 'storable');
  const failed = { status: 500, statusText: '', headers: ['Cache-Control', 'private'] };
  t.same(
    [storability(failed, false), storability(failed, true)],
    [
      { kind: 'failure', shareable: true },
      { kind: 'failure', shareable: false },
    ],
  );
});
