import t from 'tap';
import { identify } from '../../src/policy/credential.ts';
import { enter } from '../../src/policy/pipeline.ts';
import { typeOfUntyped } from '../../src/policy/untyped-body.ts';
import type { Key } from '../../src/keys/key.ts';
import { apiRules, factsOf, key, rulesOf, sha256 } from '../support/passages.ts';

const BODY = ['Content-Length', '2'];
const JSON_TYPE = 'application/json';
const BYTES = 'application/octet-stream';

interface Given {
  readonly path?: string;
  readonly fields?: readonly string[];
  readonly judged?: boolean;
  readonly api?: Parameters<typeof apiRules>[0];
}

function typeFor(
  change: Partial<Key>,
  { path = '/event/ingest', fields = BODY, judged = false, api = {} }: Given = {},
) {
  const rules = rulesOf([key('k', change)], { integration: apiRules(api) });
  const passage = enter(factsOf({ target: path }, fields), rules);
  const identity = identify(sha256('secret-of-k'), rules.keys, 0);
  passage.api = rules.integration;
  passage.identity = identity.ok ? identity.value : null;
  passage.route = passage.api?.router.match('POST', path) ?? null;
  return typeOfUntyped(passage, judged);
}

t.test('a body of a key that may not use every method is no form', async (t) => {
  const limited = new Set(['a']);
  t.equal(typeFor({}), JSON_TYPE, 'a route with events');
  t.equal(typeFor({}, { path: '/profile' }), BYTES, 'without');
  t.equal(typeFor({}, { path: '/nowhere' }), BYTES, 'no route');
  t.equal(typeFor({ type: 'metrics' }, { path: '/profile' }), BYTES);
  t.equal(
    typeFor({ type: 'read-write', allowedEvents: limited }, { path: '/profile' }),
    BYTES,
    'has the listed pairs alone',
  );
  t.equal(typeFor({ type: 'read-write' }), null);
  t.equal(typeFor({ type: 'read-write' }, { judged: true }), JSON_TYPE, 'judged as JSON, called so');
});

t.test('without a body, and in report mode, nothing is added', async (t) => {
  t.equal(typeFor({}, { fields: [] }), null);
  t.equal(typeFor({}, { fields: ['Content-Length', '0'] }), null);
  t.equal(typeFor({}, { fields: ['Transfer-Encoding', 'chunked'] }), JSON_TYPE);
  t.equal(typeFor({ mode: 'report' }), null);
  t.equal(typeFor({}, { api: { enforcement: 'report' } }), null);
  t.equal(typeFor({ mode: 'report' }, { judged: true }), JSON_TYPE, 'judged for its credential, which no key reports');
});
