import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import { normalizeTarget, PATH_QUIRKS, type PathQuirk } from '../../src/lib/path-normalization.ts';
import { runPathFuzz } from '../support/path-fuzz.ts';

const NONE: ReadonlySet<PathQuirk> = new Set();
const ALL: ReadonlySet<PathQuirk> = new Set(PATH_QUIRKS);

function pathOf(t: Test, target: string, quirks: ReadonlySet<PathQuirk> = NONE): string | null {
  const normalized = normalizeTarget(target, quirks);
  if (!normalized.ok) {
    t.ok(normalized.why.startsWith('the path holds '), normalized.why);
    return null;
  }
  return normalized.value.path;
}

t.test('a plain path is handed back as it is', (t) => {
  for (const path of [
    '/',
    '/a',
    '/a/',
    '/a.b/c',
    '/.well-known/jwks.json',
    '/..a',
    "/a-._~!$&'()*+,=:@b",
    '/a"<>^`{|}',
    "/Products(1)/Name(x='(S(x))')",
    '/f(g(x))/a',
    '/(a)/b',
    '/(s(x))/a',
    '/a/(S(x))',
    '/(S(x)/a',
  ])
    t.strictSame(normalizeTarget(path, NONE), { ok: true, value: { path, query: '' } }, path);
  t.end();
});

t.test('the query is not touched', (t) => {
  for (const query of ['?', '?a=b', '?../..//;\\%zz%00%2e%', '?a?b', '?a=%41'])
    for (const path of ['/a', '/a%20b'])
      t.strictSame(normalizeTarget(path + query, NONE), { ok: true, value: { path, query } }, path + query);
  t.end();
});

t.test('encoded unreserved characters are decoded once, all other escapes stay as received', (t) => {
  const decoded: Readonly<Record<string, string>> = {
    '/%61%62': '/ab',
    '/%41%5A%7a%30%39': '/AZz09',
    '/a%2Db%5Fc%7Ed': '/a-b_c~d',
    '/a%20b': '/a%20b',
    '/%c3%a9': '/%c3%a9',
    '/%F0%9F%98%80': '/%F0%9F%98%80',
    '/a%3Fb%23c': '/a%3Fb%23c',
    '/a%2bb%21%40': '/a%2bb%21%40',
    '/%E2%84%AA': '/%E2%84%AA',
    '/a%C2%A0b': '/a%C2%A0b',
  };
  for (const [target, path] of Object.entries(decoded)) t.equal(pathOf(t, target), path, target);
  t.end();
});

// No configuration lets these through.
const NEVER = [
  // dot segments
  ['/.', '/..', '/./', '/../', '/a/.', '/a/..', '/a/./b', '/a/../b', '/a/...', '/a/..../b', '/.a.', '/a./b', '/a.'],
  ['/%2e', '/%2E', '/%2e%2e', '/.%2e/a', '/%2e./a', '/a%2eb', '/a/%2E%2E/b', '/a/%2e%2e%2fb', '/a%2f..%2fb', '/a%2f..'],
  ['/..;/a', '/a/..;x=1/b', '/a/.;/b', '/..%3b/a', '/a/..%3B', '/..%3fa', '/..%23', '/..%2f', '/%2e%2e;/a'],
  ['/..%E2%80%8B/a', '/.%C2%AD./a', '/.%EF%BB%BF/a', '/..%E2%81%A0'],
  // double encoding, at any depth
  [
    '/%252e',
    '/a%252eb',
    '/%252E%252e/',
    '/a%252fb',
    '/a%252Fb',
    '/a%255cb',
    '/a%255C',
    '/a%253bb',
    '/a%2525',
    '/a%25252f',
    '/%2500',
  ],
  [
    '/%25252e',
    '/%2525252e',
    '/%252%65',
    '/%25%32%65',
    '/%25%2532%2565',
    '/%2%35%32%65',
    '/a%250a',
    '/a%257f',
    '/a%25ff',
  ],
  // backslashes
  ['/\\', '/a\\b', '/a\\..\\b', '\\a', '/%5c', '/a%5Cb', '/a%5c..%5cb'],
  // control characters and what no URL holds
  [
    '/%00',
    '/a%00b',
    '/a%00.js',
    '/%0a',
    '/a%0D%0Ab',
    '/%09',
    '/a%1fb',
    '/%7f',
    '/a%c2%85b',
    '/a b',
    '/a\tb',
    '/a\0',
    '/é',
  ],
  ['/a\x7f', '/a#b', '/a%20#'],
  // broken escapes, invalid UTF-8
  [
    '/%',
    '/%2',
    '/a%',
    '/%zz',
    '/%u002e',
    '/%u002e%u002e/',
    '/%%32%65',
    '/%c0%ae',
    '/%c0%af',
    '/%e0%80%af',
    '/%f0%80%80%af',
  ],
  ['/%ff', '/%fe', '/%80', '/%c3', '/%c3/%a9', '/%ed%a0%80', '/%f4%90%80%80', '/%f8%88%80%80%80', '/%C3%28'],
  // a segment that ends in a space
  [
    '/a%20',
    '/a%20/b',
    '/%20',
    '/a%20/',
    '/a%C2%A0',
    '/a%E3%80%80/b',
    '/a%E2%80%A8',
    '/a%20%E2%80%8B',
    '/a.%20',
    '/a%20.',
  ],
  // sessions without cookies, which ASP.NET takes out
  ['/(S(x))/a', '/a/(S(x))/b', '/a/(S(x)F(y))/', '/(A())/a', '/%28S%28x%29%29/a', '/a/(S(x))%2fb', '/a/%2528S(x))/b'],
  ['/a/(S(x))/pro/(S(x))tected', '/(S(a(b))/c', '/;x/(S(x));y/a'],
  // look-alikes of delimiters
  ['/a%EF%BC%8Fb', '/%EF%BC%8E%EF%BC%8E/a', '/%E2%80%A4%E2%80%A4/a', '/%E2%80%A5/a', '/a%EF%BC%BCb', '/a%EF%B9%A8b'],
  [
    '/%EF%BC%85%32%65',
    '/a%EF%BC%9Bb',
    '/a%CD%BEb',
    '/a%E2%88%95b',
    '/a%E2%81%84b',
    '/a%C2%A5b',
    '/a%E2%82%A9b',
    '/%E2%84%80',
  ],
  // no path at all
  ['', 'a', '*', 'http://a/b', '//', '//a/b', '//a', '/;/a', '/a/;x/../b', '?a'],
].flat();
for (const target of NEVER) {
  t.equal(pathOf(t, target), null, `${JSON.stringify(target)} is ambiguous`);
  t.equal(pathOf(t, target, ALL), null, `${JSON.stringify(target)} is ambiguous with every quirk allowed`);
}

// The quirk that lets a path through, and no other does.
const BY_QUIRK: Readonly<Record<PathQuirk, readonly string[]>> = {
  'encoded-slash': ['/a%2Fb', '/a%2fb/c', '/a%2F'],
  'encoded-percent': ['/100%25', '/100%25/a', '/a%2541', '/50%2520off', '/%25zz', '/a%25b', '/a%25%20b'],
  'double-slash': ['/a//b', '/a//', '/a///b'],
  semicolon: ['/a;b', '/a;x=1/b', '/a%3Bb', '/a%3b', '/a;', '/a;b;c'],
};
for (const [quirk, targets] of Object.entries(BY_QUIRK))
  for (const target of targets) {
    const others = new Set(PATH_QUIRKS.filter((other) => other !== quirk));
    t.equal(pathOf(t, target, new Set([quirk as PathQuirk])), target, `${quirk} lets ${target} through as it is`);
    t.equal(pathOf(t, target, others), null, `no other quirk lets ${target} through`);
  }

t.test('quirks do not add up to what none of them names', (t) => {
  for (const target of ['/a%2F%2Fb', '/a%2F/b']) {
    t.equal(pathOf(t, target, new Set(['encoded-slash'])), null, target);
    t.equal(pathOf(t, target, new Set(['encoded-slash', 'double-slash'])), target, target);
  }
  t.end();
});

t.test('what was let through is let through unchanged', (t) => {
  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '/',
      'a',
      '.',
      '%2f',
      '%25',
      '%3b',
      ';',
      '%41',
      '%20',
      '%c3%a9',
      '%2525',
      '\\',
      '%',
      '2e',
      '?',
      '//',
    ),
    fc.string({ maxLength: 3 }),
  );
  const target = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);
  const quirks = fc.subarray([...PATH_QUIRKS]).map((some: readonly PathQuirk[]) => new Set(some));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(target, quirks, (text, allowed) => {
        const first = normalizeTarget(text, allowed);
        if (!first.ok) return;
        const { path, query } = first.value;
        t.ok(text.endsWith(query) && !path.includes('?'));
        t.strictSame(normalizeTarget(path + query, allowed), first, text);
      }),
      { numRuns: 500 },
    ),
  );
  t.end();
});

t.test('no lenient backend reads an admitted path otherwise than it was judged', (t) => {
  const { admitted, matched } = runPathFuzz({ cases: 1500, seed: 20_260_101 });
  t.ok(admitted > 200 && matched > 50, `${admitted} admitted, ${matched} matched`);
  t.end();
});

t.test('every hexadecimal digit of an escape counts, in both cases', async (t) => {
  for (let code = 0x30; code <= 0x7e; code++) {
    const character = String.fromCharCode(code);
    if (!/[A-Za-z0-9_~-]/.test(character)) continue;
    const hex = code.toString(16);
    t.equal(pathOf(t, `/%${hex}`), `/${character}`, hex);
    t.equal(pathOf(t, `/%${hex.toUpperCase()}`), `/${character}`, hex.toUpperCase());
  }
});

t.test('the operator reads what made the path ambiguous', async (t) => {
  const reasons = {
    a: 'no leading slash',
    '/a b': 'a character that must be percent-encoded',
    '/a#b': 'a character that must be percent-encoded',
    '/a\\b': 'a backslash',
    '/a%5cb': 'a backslash',
    '/a%00': 'a control character',
    '/a%2e': 'an encoded dot',
    '//a': 'a leading double slash',
    '/a%252f': 'an ambiguous character that is encoded twice',
    '/a%2fb': 'an encoded slash',
    '/a%25b': 'an encoded percent sign',
    '/a//b': 'a double slash',
    '/a;b': 'a semicolon',
    '/a./b': 'a segment that ends in a dot or a space',
    '/a.%C2%AD%E2%80%8B/b': 'a segment that ends in a dot or a space',
    '/%EF%BC%8Fa': 'a character that some servers take for a path delimiter',
    '/%C2%85': 'a control character',
  };
  for (const [target, reason] of Object.entries(reasons)) {
    const normalized = normalizeTarget(target, NONE);
    t.ok(!normalized.ok && normalized.why.includes(reason), `${target}: ${JSON.stringify(normalized)}`);
  }
});

t.test('escapes that are broken are told as that, and not as what they might hide', (t) => {
  for (const path of ['/%', '/a%zz', '/%ff', '/%c0%af', '/%ed%a0%80'])
    t.same(normalizeTarget(path, new Set()), {
      ok: false,
      why: 'the path holds percent-encoding that is broken or no UTF-8',
    });
  t.end();
});
