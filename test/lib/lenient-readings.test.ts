import * as fc from 'fast-check';
import t from 'tap';
import { lenientReadings } from '../../src/lib/lenient-readings.ts';
import { readPath } from '../../src/lib/path-reading.ts';

t.test('every step that some server takes, in every order', (t) => {
  const leads = (path: string, to: string) => t.ok(lenientReadings(path)?.includes(to), `${path} to ${to}`);
  leads('/a/b', '/a/b');
  leads('/a/../b', '/b');
  leads('/a/../../b', '/b');
  leads('/a/..', '/');
  leads('/a/%2e%2E/b', '/b');
  leads('/a/%252e%252e/b', '/b');
  leads('/a/%25252e%25252e/b', '/b');
  leads('/a\\..\\b', '/b');
  leads('/a%5c..%2fb', '/b');
  leads('/a/..;x=1/b', '/b');
  leads('/a/..%3bx/b', '/b');
  leads('/a//../b', '/b');
  leads('/a//../b', '/a/b');
  leads('/a.../b', '/a/b');
  leads('/a%20/b', '/a/b');
  leads('/a/..%20/b', '/b');
  leads('/a/.%20./..%C2%A0/b', '/a/b');
  leads('/a/..+//b', '/b');
  leads('/%20b/+%20c//d', '/b/c/d');
  leads('/b%3Fx', '/b');
  leads('/b%23x/y', '/b');
  leads('//host/b', '/b');
  leads('/\\host/b', '/b');
  leads('///host/b', '/b');
  leads('/%2f/host//b', '//b');
  leads('/./b', '/b');
  leads('/a/(S(x)F(y))/b', '/a/b');
  leads('/%28S(x))/pro/(S(x))tected', '/protected');
  leads('/(S(x))//b/(F(x))/c', '/b/(F(x))/c');
  t.end();
});

t.test('what hides something has no readings that could be told', (t) => {
  for (const path of [
    '/a%00',
    '/a%0a',
    '/a%',
    '/a%zz',
    '/a%u002f',
    '/%ff',
    '/%c0%af',
    '/%25ff',
    '/a%2525252500',
    '/a%252525252525252f',
    '/%EF%BC%8F', // a full-width slash
    '/%EF%BC%8E%EF%BC%8E/', // two full-width dots
    '/%C2%A5',
    '/.%C2%AD./',
    '/%ED%A0%80',
    `/${'a'.repeat(1024)}`,
  ])
    t.equal(lenientReadings(path), null, path);
  t.type(lenientReadings('/caf%C3%A9//x'), Array);
  t.type(lenientReadings(`/${'a'.repeat(1023)}`), Array);
  t.equal(lenientReadings('/%2525253b%25252f%252e%2e;a//..\\.%3f%23%2f.%20;//..%5c;;/'), null, 'nor what has too many');
  t.equal(lenientReadings('//b/+.\\%20')?.length, 64);
  t.equal(lenientReadings('/+.\\\\%2f.'), null, 'it would have one more');
  t.end();
});

t.test('they are more than those of paths that are let through, and each step leads to one of them', (t) => {
  const part = fc.constantFrom(
    'a',
    'b',
    '/',
    '//',
    '.',
    '..',
    '%2e',
    '%2F',
    '%5c',
    '\\',
    ';x',
    '%3b',
    '%25',
    '%3f',
    '%20',
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(part, { maxLength: 9 }), (parts) => {
        const path = `/${parts.join('')}`;
        const readings = lenientReadings(path);
        if (readings === null) return true;
        const known = new Set(readings);
        const resolved = new URL(`http://a${path.startsWith('//') ? '/' : ''}${path.replace(/[?#].*/, '')}`).pathname;
        // WHATWG's parser is one of the lenient readers (it reads what follows // as a host, which the other slash prevents).
        const isKnown = path.startsWith('//') || path.startsWith('/\\') || known.has(resolved);
        // NUL stands there for a slash that is data.
        return isKnown && readPath(path).every((reading) => known.has(reading.replaceAll('\0', '%2F')));
      }),
      { numRuns: 2000 },
    ),
  );
  t.end();
});
