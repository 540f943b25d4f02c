import t from 'tap';
import { checkBrowser } from '../../src/policy/browser.ts';
import { factsOf, key } from '../support/passages.ts';

const ORIGIN = ['Origin', 'https://a.example'];
const check = (k: ReturnType<typeof key>, ...fields: string[]) =>
  checkBrowser(factsOf({}, fields).headers, k)?.code ?? null;

t.test('keys that must stay secret', async (t) => {
  for (const type of ['read-only', 'read-write', 'metrics'] as const) {
    t.equal(check(key('k', { type })), null);
    t.equal(check(key('k', { type }), ...ORIGIN), 'browser_not_allowed');
    t.equal(check(key('k', { type }), 'Origin', ''), 'browser_not_allowed');
    t.equal(check(key('k', { type }), 'Sec-Fetch-Site', 'none'), 'browser_not_allowed');
    const open = key('k', { type, allowBrowsers: true });
    t.equal(check(open, ...ORIGIN, 'Sec-Fetch-Site', 'x'), null);
    t.equal(check(open, 'Sec-Fetch-Site', 'none'), null);
    const named = { ...open, allowedOrigins: new Set(['https://a.example']) };
    t.equal(check(named, ...ORIGIN), null);
    t.equal(check(named, 'Sec-Fetch-Site', 'same-origin'), null);
    t.equal(check(named, 'Origin', 'https://b.example'), 'origin_not_allowed');
    t.equal(check(named, 'Origin', 'null'), 'origin_not_allowed');
    t.equal(check(named, ...ORIGIN, ...ORIGIN), 'origin_not_allowed');
  }
});

t.test('write-only keys', async (t) => {
  const named = key('k', { allowedOrigins: new Set(['https://a.example']) });
  t.equal(check(named), null);
  t.equal(check(named, 'Sec-Fetch-Site', 'cross-site'), null);
  t.equal(check(named, ...ORIGIN), null);
  t.equal(check(named, 'Origin', 'https://A.example'), 'origin_not_allowed');
  t.equal(check(named, ...ORIGIN, ...ORIGIN), 'origin_not_allowed');
  t.equal(check(key('k'), 'Origin', 'null'), null);
  t.equal(check(key('k', { allowedOrigins: new Set() }), ...ORIGIN), 'origin_not_allowed');
});
