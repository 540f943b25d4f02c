/** Which changes of a key let in what was kept out. */
import t from 'tap';
import { NEW_DRAFT } from '../../src/admin/console/keys/draft.ts';
import type { KeyType } from '../../src/keys/key.ts';
import type { Draft } from '../../src/admin/console/keys/fields.ts';
import { widening } from '../../src/admin/console/keys/widening.ts';

const places = (...addresses: readonly string[]) => addresses.map((address) => ({ address, description: '' }));
const NARROW = {
  ...NEW_DRAFT,
  type: 'read-only' as const,
  anywhere: false,
  locations: places('192.0.2.1'),
  denied: places('192.0.2.9'),
  allEvents: false,
  events: ['login'],
  allowedRoutes: ['GET /a'],
  apis: ['orders'],
  anyOrigin: false,
  origins: ['https://example.com'],
  limited: true,
  expires: true,
  expiresAt: '2099-01-01T00:00:00Z',
  accessToken: 'required' as const,
};

const every = (): boolean => true;
const fields = (after: Partial<Draft & { readonly type: KeyType }>, has: (name: string) => boolean = every) =>
  widening(NARROW, { ...NARROW, ...after }, has).map((sentence) => sentence.split(':', 1)[0]);

void t.test('each restriction that goes is told', async (t) => {
  t.same(fields({ anywhere: true }), ['Access control']);
  t.same(fields({ locations: places('192.0.2.1', '::/0') }), ['Access control']);
  t.same(fields({ denied: [] }), ['Denied addresses']);
  t.same(fields({ allEvents: true }), ['Allowed profile events']);
  t.same(fields({ allowedRoutes: 'all' }), ['Routes']);
  t.same(fields({ apis: 'all' }), ['APIs']);
  t.same(fields({ allowBrowsers: true }), ['Browser use']);
  t.same(fields({ mode: 'report' }), ['Mode']);
  t.same(fields({ locations: places('192.0.2.1', '2000::/3') }), ['Access control'], 'every address in use');
  t.same(fields({ allowedRoutes: ['GET /a', '* /**'] }), ['Routes']);
  t.same(fields({ anyOrigin: true }), ['Origins']);
  t.same(fields({ expires: false }), ['Expiry']);
  t.same(fields({ accessToken: 'allowed' }), ['Access tokens']);
  t.same(fields({ type: 'read-write' }), ['Type']);
  t.same(fields({ type: 'write-only' }), ['Type'], 'another one');
  t.equal(fields({ anywhere: true, allEvents: true, mode: 'report' }).length, 3);
});

void t.test('what narrows, adds one place or is not of the type is no question', async (t) => {
  t.same(fields({}), []);
  t.same(fields({ locations: places('192.0.2.1', '192.0.2.2') }), []);
  t.same(fields({ denied: places('192.0.2.9', '192.0.2.10'), events: [], allowedRoutes: [] }), []);
  t.same(fields({ locations: places('192.0.2.1', '10.0.0.0/8', '2001:db8::/32') }), []);
  t.same(fields({ allowedRoutes: ['GET /a', 'GET /b/**'], limited: false }), []);
  t.same(widening({ ...NEW_DRAFT, type: 'read-write' }, NARROW, every), []);
  t.same(
    fields({ allEvents: true }, (name) => name !== 'allowedEvents'),
    [],
  );
});
