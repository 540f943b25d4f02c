import * as fc from 'fast-check';
import t from 'tap';
import { cacheKey, cacheKeysOf, variantKey, type CacheKeyParts } from '../../src/cache/cache-key.ts';

const SCOPE = 'a'.repeat(64);
const PARTS: CacheKeyParts = {
  holder: { id: 'metrics', apiKeyDigest: 'aa' },
  host: 'api.test',
  shape: 'http',
  method: 'POST',
  target: '/metrics/query?a=1',
  contentType: 'application/json',
  contentEncoding: undefined,
  body: Buffer.from('{"variables":{}}'),
};

t.test('the same request has the same key', async (t) => {
  t.equal(cacheKey(SCOPE, PARTS), cacheKey(SCOPE, { ...PARTS, body: Buffer.from(PARTS.body) }));
  t.match(cacheKey(SCOPE, PARTS), /^[0-9a-f]{64}$/);
});

const CHANGES: Readonly<Record<string, Partial<CacheKeyParts>>> = {
  'the key': { holder: { id: 'metrics2', apiKeyDigest: 'aa' } },
  'the API key': { holder: { id: 'metrics', apiKeyDigest: 'bb' } },
  'the method': { method: 'GET' },
  'the path': { target: '/metrics/query/1?a=1' },
  'the case of the path': { target: '/metrics/Query?a=1' },
  'the query': { target: '/metrics/query?a=2' },
  'an empty query': { target: '/metrics/query?' },
  'a body byte at the end': { body: Buffer.from('{"variables":{}} ') },
  'the order in the body': { body: Buffer.from('{}{"variables":}') },
  'no body': { body: Buffer.alloc(0) },
  'the type of the body': { contentType: 'text/plain' },
  'no type': { contentType: undefined },
  'an empty type': { contentType: '' },
  'the host': { host: 'a.test' },
  'no host': { host: undefined },
  'what else shapes the answer': { shape: '["http",["session=1"],null,[]]' },
  'the coding of the body': { contentEncoding: 'gzip' },
};

for (const [name, change] of Object.entries(CHANGES))
  t.test(`another key for another request: ${name}`, async (t) => {
    t.not(cacheKey(SCOPE, { ...PARTS, ...change }), cacheKey(SCOPE, PARTS));
  });

t.test('a key is the same whatever was asked before it', async (t) => {
  const keyOf = cacheKeysOf(SCOPE);
  const large = { ...PARTS, body: Buffer.alloc(100_000, 'x') };
  for (const change of [...Object.values(CHANGES), large])
    for (const asked of [PARTS, { ...PARTS, ...change }, { ...PARTS, ...change, body: Buffer.from(PARTS.body) }])
      for (const again of [asked, { ...asked, body: Buffer.from(asked.body) }])
        t.equal(keyOf(again), cacheKey(SCOPE, again));
});

t.test('another scope has other keys', async (t) => {
  t.not(cacheKey('b'.repeat(64), PARTS), cacheKey(SCOPE, PARTS));
});

t.test('no two different requests are joined to the same bytes, large bodies included', async (t) => {
  const text = fc.string({ maxLength: 6, unit: fc.constantFrom('a', '1', ':', '-', '{', '\u00e9', '\u20ac') });
  const optional = fc.option(text, { nil: undefined });
  const parts = fc.record({
    holder: fc.record({ id: text, apiKeyDigest: fc.option(text) }),
    host: optional,
    shape: text,
    method: text,
    target: text,
    contentType: optional,
    contentEncoding: optional,
    body: fc.oneof(text, fc.constant('x'.repeat(20_000))).map((body) => Buffer.from(body)),
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const differ = JSON.stringify(Object.entries(one)) !== JSON.stringify(Object.entries(other));
        return differ === (cacheKey(SCOPE, one) !== cacheKey(SCOPE, other));
      }),
      { numRuns: 2000 },
    ),
  );
  t.doesNotThrow(() =>
    fc.assert(
      // What one part loses, its neighbour gains.
      fc.property(text, text, fc.nat(6), (left, right, cut) => {
        const joined = left + right;
        const [a, b] = [joined.slice(0, cut), joined.slice(cut)];
        const [one, other] = [
          { ...PARTS, method: left, target: right },
          { ...PARTS, method: a, target: b },
        ];
        return (left === a) === (cacheKey(SCOPE, one) === cacheKey(SCOPE, other));
      }),
    ),
  );
});

t.test('bodies have keys of their own on both sides of the size up to which they are digested as text', async (t) => {
  const bodies = [0, 1, 8_192, 16_383, 16_384, 16_385, 32_768, 100_000].flatMap((size) => {
    const bytes = Buffer.alloc(size, 0xe9);
    // What the bytes are when each is taken for a character and written as UTF-8.
    return size === 0 ? [bytes] : [bytes, Buffer.from(bytes.toString('latin1')), Buffer.alloc(size, 'a')];
  });
  const keys = new Map(bodies.map((body) => [cacheKey(SCOPE, { ...PARTS, body }), body.toString('latin1')]));
  t.equal(keys.size, new Set(bodies.map((body) => body.toString('latin1'))).size);
});

const of = (...headers: string[]) => variantKey('base', ['accept', 'x-a'], headers);

t.test('variants are told apart by value, absence and name, and not by spelling or order', async (t) => {
  t.equal(of('Accept', 'a', 'X-A', 'b'), of('x-a', 'b', 'ACCEPT', 'a'));
  t.equal(of('Accept', 'a', 'Accept', 'b'), of('Accept', 'a, b'), 'repeated fields are one list');
  const distinct = [
    of(),
    of('accept', ''),
    of('accept', 'a'),
    of('accept', 'A'),
    of('x-a', 'a'),
    of('accept', 'a', 'x-a', ''),
  ];
  t.equal(new Set(distinct).size, distinct.length);
  t.not(variantKey('base', [], []), 'base');
  t.equal(of('Accept', 'a', 'Cookie', '1'), of('Accept', 'a', 'Cookie', '2'));
});
