import t from 'tap';
import { checkEventMedia, eventFilterOf } from '../../src/policy/events.ts';
import { compileRoutes, type CompiledRoute } from '../../src/policy/route.ts';
import { apiRules, factsOf, key } from '../support/passages.ts';

const LIMITED = key('k', { allowedEvents: new Set(['a']) });
const api = apiRules();

const routeOf = (path = '/event/ingest'): CompiledRoute => {
  const found = api.router.match('POST', path);
  if (found === null) throw new Error(`not listed: ${path}`);
  return found.route;
};

t.test('a filter for keys limited to specific events, on routes that carry events', async (t) => {
  t.type(eventFilterOf(LIMITED, routeOf()), 'function');
  t.equal(eventFilterOf(key('all'), routeOf()), null);
  t.equal(eventFilterOf(LIMITED, routeOf('/profile')), null);
});

t.test('it is compiled once for a key and a route, and belongs to both', async (t) => {
  const one = eventFilterOf(LIMITED, routeOf());
  t.equal(eventFilterOf(LIMITED, routeOf()), one);
  t.not(eventFilterOf(LIMITED, routeOf('/event/ingest/batch')), one);
  const other = key('k', { allowedEvents: new Set(['b']) });
  t.not(eventFilterOf(other, routeOf()), one);
  t.match(eventFilterOf(other, routeOf())?.(Buffer.from('{"name":"a"}')), { ok: false });
  t.match(one?.(Buffer.from('{"name":"a"}')), { ok: true });
});

t.test('disallowedEvents decides about batches', async (t) => {
  const body = Buffer.from('{"events":[{"name":"a"},{"name":"b"}]}');
  const batch = (disallowedEvents: 'remove' | 'reject') =>
    eventFilterOf(key('k', { allowedEvents: new Set(['a']), disallowedEvents }), routeOf('/event/ingest/batch'));
  t.match(batch('remove')?.(body), { ok: true, removed: 1, forwarded: 1 });
  t.match(batch('reject')?.(body), { ok: false, refusal: { code: 'event_not_allowed' } });
});

t.test('a form, where the route takes one', async (t) => {
  const [takes] = compileRoutes([{ method: 'POST', path: '/a', events: 'name', form: 'data' }]).routes;
  const check = (type: string, route: CompiledRoute | null) => {
    const decision = checkEventMedia(factsOf({}, ['Content-Type', type]).headers, route);
    return decision.ok ? decision.value : decision.refusal.code;
  };
  const form = 'application/x-www-form-urlencoded';
  t.equal(check(form, takes as CompiledRoute), 'identity');
  t.equal(check('multipart/form-data; boundary=x', takes as CompiledRoute), 'unsupported_media_type');
  t.equal(check(form, routeOf()), 'unsupported_media_type');
  t.equal(check(form, null), 'unsupported_media_type');
});

t.test('what the header fields must say', async (t) => {
  const check = (...fields: string[]) => {
    const decision = checkEventMedia(factsOf({}, fields).headers, null);
    return decision.ok ? decision.value : decision.refusal.code;
  };
  t.equal(check(), 'identity');
  t.equal(check('Content-Type', 'application/json', 'Content-Encoding', 'GZIP'), 'gzip');
  t.equal(check('Content-Type', 'text/html', 'Content-Encoding', 'x'), 'unsupported_media_type');
  t.equal(check('Content-Encoding', 'x'), 'unsupported_encoding');
  t.equal(check('Content-Encoding', ''), 'unsupported_encoding');
  t.equal(check('Content-Encoding', 'gzip', 'Content-Encoding', 'gzip'), 'unsupported_encoding');
});
