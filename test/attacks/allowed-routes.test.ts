/**
 * Whatever way a path is spelled, no backend finds another one behind it than the list admits: each leniency seen in the wild,
 * alone and with all others, reads what was admitted.
 */
import * as fc from 'fast-check';
import t from 'tap';
import { compileAllowedRoutes } from '../../src/keys/allowed-routes.ts';
import { normalizeTarget, PATH_QUIRKS, type PathQuirk } from '../../src/lib/path-normalization.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import { checkListed } from '../../src/policy/scope.ts';
import { LENIENCIES, readLeniently } from '../support/lenient-path.ts';
import { factsOf } from '../support/passages.ts';

const PATTERNS = ['/orders/:id', '/orders/:id/lines', '/static/**', '/key', '/api/v1/me'];
/** By segments. Letters beyond ASCII never equal one of ASCII without the flag u. */
const RULES = [/^orders\0[^\0]+$/i, /^orders\0[^\0]+\0lines$/i, /^static(?:\0[^\0]+)+$/i, /^key$/i, /^api\0v1\0me$/i];

const list = compileAllowedRoutes(PATTERNS.map((path) => `GET ${path}`));
const router = compileRoutes(PATTERNS.map((path) => ({ method: 'GET', path })));
const facts = factsOf({ method: 'GET' });

/** Whether the path is admitted by a list of a key, and served by an API that serves the same routes alone. */
function admitted(path: string): readonly [boolean, boolean] {
  const asked = { facts, path, query: '', route: router.match('GET', path) };
  return [list.admits('GET', path), checkListed({ name: 'a', unlisted: 'refuse' }, asked) === null];
}

/** What some backend finds that the list does not have. */
function escape(path: string): string | null {
  for (const leniency of LENIENCIES) {
    const { segments, hadDots } = readLeniently(path, leniency);
    // NUL parts the segments: what is in them is then told from what is between them.
    const read = segments.map((segment) => segment.replaceAll('\0', '')).join('\0');
    if (hadDots || !RULES.some((rule) => rule.test(read)))
      return `${JSON.stringify(leniency)} reads ${segments.join(' / ')}`;
  }
  return null;
}

const PIECES = [
  ...'/ // . .. ; ;x ;/ ;x/ %2F %2f %252F %3B %3Bx %3F %23 %25 %2541 %00 %20 %2e %2E%2E %5C \\ /../ /./ /..;/'.split(
    ' ',
  ),
  ...'admin O 7 %6F %6f %2561 %E2%84%AA %C5%BF %C2%AD %E2%80%8B %EF%BC%8F %EF%BD%93 %C3%A9 %FF'.split(' '),
];

/** Paths of the list, each with some pieces put into it or in place of a character. */
const spelled = fc
  .tuple(
    fc.constantFrom('/orders/7', '/orders/7/lines', '/static/a/b', '/key', '/api/v1/me'),
    fc.array(fc.tuple(fc.nat(16), fc.nat(1), fc.constantFrom(...PIECES)), { maxLength: 3 }),
  )
  .map(([path, edits]) =>
    edits.reduce<string>((text, [at, less, piece]) => {
      const place = 1 + (at % text.length);
      return text.slice(0, place) + piece + text.slice(place + less);
    }, path),
  );

const quirks = fc.subarray([...PATH_QUIRKS]).map((names) => new Set<PathQuirk>(names));

t.test('nothing is found behind an admitted spelling that the list does not have', async (t) => {
  let passed = 0;
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(spelled, quirks, (target, allowed) => {
        const normalized = normalizeTarget(target, allowed);
        if (!normalized.ok) return;
        const { path } = normalized.value;
        const [byKey, byApi] = admitted(path);
        if (!byKey && !byApi) return;
        passed += 1;
        const found = escape(path);
        if (found !== null) throw new Error(`${path}: ${found}`);
      }),
      { numRuns: 2500 },
    ),
  );
  t.ok(passed > 200, `enough of them are admitted: ${passed}`);
});

t.test('spellings that reached other paths elsewhere', async (t) => {
  const allowed = new Set(PATH_QUIRKS);
  for (const target of [
    '/orders/..%2fadmin',
    '/orders/7%2f..%2f..%2fadmin',
    '/orders/7%252fadmin',
    '/orders/7/..;/admin',
    '/orders;/../admin',
    '/orders/%2e%2e/admin',
    '/orders//7',
    '/orders/7//lines',
    '/orders/7%00/lines',
    '/static/../admin',
    '/static/a%5c..%5cadmin',
    '/static//admin',
    '/static/%2fadmin',
    '/static;a/b',
    '/static%3b/b',
    '/static%23/b',
    '/%E2%84%AAey',
    '/ke%EF%BD%99',
    '/k%C3%A9y',
    '/key.',
    '/key%20',
    '/key%E2%80%8B',
    '/key;',
    '/key%3fx',
    '/key/..',
    '/api/v1/me;/x',
    '/api/v1%2fme',
    '/api%2fv1/me',
    '/orders/(S(x))/lines',
    '/(S(x))/key',
    '/static/(S(x))/a',
  ]) {
    const normalized = normalizeTarget(target, allowed);
    t.same(normalized.ok ? admitted(normalized.value.path) : [false, false], [false, false], target);
  }
});
