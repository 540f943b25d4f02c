/** Which changes of a key let in what was kept out. */
import t from 'tap';
import { NEW_DRAFT } from '../../src/admin/console/keys/draft.ts';
import type { Draft } from '../../src/admin/console/keys/fields.ts';
import { widening } from '../../src/admin/console/keys/widening.ts';

const places = (...addresses: readonly string[]) => addresses.map((address) => ({ address, description: '' }));
const NARROW: Draft = {
  ...NEW_DRAFT,
  anywhere: false,
  locations: places('192.0.2.1'),
  denied: places('192.0.2.9'),
  allEvents: false,
  events: ['login'],
  allowedRoutes: ['GET /a'],
  apis: ['orders'],
};

const every = (): boolean => true;
const fields = (after: Partial<Draft>, has: (name: string) => boolean = every) =>
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
  t.equal(fields({ anywhere: true, allEvents: true, mode: 'report' }).length, 3);
});

void t.test('what narrows, adds one place or is not of the type is no question', async (t) => {
  t.same(fields({}), []);
  t.same(fields({ locations: places('192.0.2.1', '192.0.2.2') }), []);
  t.same(fields({ denied: places('192.0.2.9', '192.0.2.10'), events: [], allowedRoutes: [] }), []);
  t.same(widening(NEW_DRAFT, NARROW, every), []);
  t.same(
    fields({ allEvents: true }, (name) => name !== 'allowedEvents'),
    [],
  );
});
