import t from 'tap';
import { checkEventMedia, eventFilterOf } from '../../src/policy/events.ts';
import type { Passage } from '../../src/policy/pipeline.ts';
import { apiRules, factsOf, key, passageOf, rulesOf } from '../support/passages.ts';

const LIMITED = key('k', { allowedEvents: new Set(['a']) });
const api = apiRules();

function passage(k = LIMITED, path = '/event/ingest'): Passage {
  const entered = passageOf(factsOf(), rulesOf([]));
  return Object.assign(entered, { identity: { key: k, secret: k.secrets[0] }, route: api.router.match('POST', path) });
}

t.test('a filter for keys limited to specific events, on routes that carry events', async (t) => {
  t.type(eventFilterOf(passage()), 'function');
  t.equal(eventFilterOf(passage(key('all'))), null);
  t.equal(eventFilterOf(passage(LIMITED, '/profile')), null);
  t.equal(eventFilterOf(passage(LIMITED, '/unlisted')), null);
  t.equal(eventFilterOf(Object.assign(passage(), { identity: null })), null);
});

t.test('it is compiled once for a key and a route, and belongs to both', async (t) => {
  const one = eventFilterOf(passage());
  t.equal(eventFilterOf(passage()), one);
  t.not(eventFilterOf(passage(LIMITED, '/event/ingest/batch')), one);
  const other = key('k', { allowedEvents: new Set(['b']) });
  t.not(eventFilterOf(passage(other)), one);
  t.match(eventFilterOf(passage(other))?.(Buffer.from('{"name":"a"}')), { ok: false });
  t.match(one?.(Buffer.from('{"name":"a"}')), { ok: true });
});

t.test('disallowedEvents decides about batches', async (t) => {
  const body = Buffer.from('{"events":[{"name":"a"},{"name":"b"}]}');
  const batch = (disallowedEvents: 'remove' | 'reject') =>
    eventFilterOf(passage(key('k', { allowedEvents: new Set(['a']), disallowedEvents }), '/event/ingest/batch'));
  t.match(batch('remove')?.(body), { ok: true, removed: 1, forwarded: 1 });
  t.match(batch('reject')?.(body), { ok: false, refusal: { code: 'event_not_allowed' } });
});

t.test('what the header fields must say', async (t) => {
  const check = (...fields: string[]) => {
    const decision = checkEventMedia(factsOf({}, fields).headers);
    return decision.ok ? decision.value : decision.refusal.code;
  };
  t.equal(check(), 'identity');
  t.equal(check('Content-Type', 'application/json', 'Content-Encoding', 'GZIP'), 'gzip');
  t.equal(check('Content-Type', 'text/html', 'Content-Encoding', 'x'), 'unsupported_media_type');
  t.equal(check('Content-Encoding', 'x'), 'unsupported_encoding');
  t.equal(check('Content-Encoding', ''), 'unsupported_encoding');
  t.equal(check('Content-Encoding', 'gzip', 'Content-Encoding', 'gzip'), 'unsupported_encoding');
});
