import { randomBytes } from 'node:crypto';
import t from 'tap';
import { makeSecret } from '../../src/keys/secret.ts';
import { sha256Hex } from '../../src/lib/digest.ts';
import { compileKeys } from '../../src/keys/compile.ts';
import { readDefinition } from '../../src/keys/read-definition.ts';
import {
  authenticateAs,
  authenticateAsAsked,
  authenticateAsKey,
  authenticateNobody,
  factsOf,
} from '../../src/request/made-up-request.ts';
import type { Routed } from '../../src/request/passage.ts';
import type { ApiRules } from '../../src/policy/ruleset.ts';
import { apiRules, rulesOf } from '../support/passages.ts';

const NOW = Date.parse('2026-06-01T00:00:00Z');

function keysOf(...written: Record<string, unknown>[]) {
  const loaded = written.map((one) => {
    const read = readDefinition(one);
    if (!read.ok) throw new Error(JSON.stringify(read.findings));
    return { id: read.value.id, definition: read.value };
  });
  return compileKeys(loaded, 1);
}

const keys = keysOf(
  {
    id: 'rotated',
    type: 'read-write',
    secrets: [{ value: 'old', expiresAt: '2026-01-01T00:00:00Z' }, { value: 'new' }],
  },
  {
    id: 'reordered',
    type: 'read-write',
    secrets: [{ value: 'in use' }, { value: 'gone', expiresAt: '2026-01-01T00:00:00Z' }],
  },
  { id: 'over', type: 'read-write', secrets: [{ value: 'ended', expiresAt: '2026-01-01T00:00:00Z' }] },
  { id: 'off', type: 'read-write', enabled: false, secret: 'off' },
  { id: 'metrics', type: 'metrics', secret: 'm', apiKey: 'k' },
);
const to = (name: ApiRules['name']): Routed =>
  ({ facts: { now: NOW }, rules: { keys }, api: { name } }) as unknown as Routed;
const integration = to('integration');
const metrics = to('metrics');

t.test('a caller is recognised by a secret or by the id of the key', async (t) => {
  for (const asked of [authenticateAs('new'), authenticateAsAsked('new', null), authenticateAsAsked(null, 'rotated')])
    t.match(await asked(integration), { ok: true, value: { key: { id: 'rotated' } } });
  t.match(await authenticateAs('old')(integration), { ok: false, refusal: { reason: 'expired' } });
  t.match(await authenticateAsKey('rotated')(integration), { ok: true });
  t.match(await authenticateAsKey('reordered')(integration), { ok: true }, 'by a secret that is in use');
  t.match(await authenticateAsKey('over')(integration), { ok: false, refusal: { reason: 'expired' } });
  t.match(await authenticateAsKey('off')(integration), { ok: false, refusal: { reason: 'disabled' } });
  t.match(await authenticateAsKey('none')(integration), { ok: false, refusal: { reason: 'unknown' } });
  t.match(await authenticateAsKey('constructor')(integration), { ok: false });
});

t.test('a key of the other API is unknown', async (t) => {
  t.match(await authenticateAsKey('metrics')(metrics), { ok: true });
  t.match(await authenticateAsKey('metrics')(integration), { ok: false, refusal: { reason: 'unknown' } });
  t.match(await authenticateAs('new')(metrics), { ok: false, refusal: { reason: 'unknown' } });
});

t.test('an unknown secret is told from a mistyped one, and neither is repeated', async (t) => {
  for (const [secret, why] of [
    ['anything', /^no key has this secret$/],
    [`pstn_rw_${'0'.repeat(48)}`, /typing error/],
  ] as const) {
    const result = await authenticateAs(secret)(integration);
    t.match(result, { ok: false, refusal: { why, code: 'invalid_credential', reason: 'unknown' } });
    t.notMatch(JSON.stringify(result), secret);
  }
});

t.test('the facts are those of a request with this origin, or of one without', async (t) => {
  const request = { ip: '::1', method: 'GET', path: '/a?b', secure: true, now: NOW };
  const rules = rulesOf([]);
  t.match(factsOf({ ...request, origin: null }, rules), {
    target: '/a?b',
    secure: true,
    peer: { text: '::1', isUnix: false },
    rawHeaders: ['Host', 'localhost'],
  });
  t.equal(factsOf({ ...request, origin: 'https://a.example' }, rules).headers.origin, 'https://a.example');
});

t.test('the Host is one that the API of the path serves', async (t) => {
  const rules = rulesOf([], {
    integration: apiRules({ hosts: new Set(['events.test', 'other.test']) }),
    metrics: apiRules({ name: 'metrics', hosts: new Set(['metrics.test']) }),
  });
  const hostOf = (path: string) =>
    factsOf({ ip: '::1', method: 'GET', path, secure: true, now: NOW, origin: null }, rules).headers.host;
  t.equal(hostOf('/event/ingest?/metrics'), 'events.test');
  t.equal(hostOf('/metrics/query?a'), 'metrics.test');
});

t.test('who shows no credential is told so', async (t) => {
  for (const caller of [authenticateNobody, authenticateAsAsked(null, null)])
    t.match(await caller(integration), { ok: false, refusal: { code: 'missing_credential' } });
});

t.test('a secret in its checksum\u2019s form that no key has is told from any other', async (t) => {
  const secret = makeSecret('read-write', randomBytes);
  t.match(await authenticateAs(secret)(integration), { ok: false, refusal: { why: /well-formed/ } });
});

t.test('of several secrets of a key the last that is in use is asked about, or the last of all', async (t) => {
  const chosen = async (id: string) => {
    const found = await authenticateAsKey(id)(integration);
    return found.ok ? found.value.secret.digest : found.refusal.why;
  };
  t.equal(await chosen('rotated'), sha256Hex('new'));
  t.equal(await chosen('reordered'), sha256Hex('in use'));
  t.match(await chosen('over'), /has expired/);
});

t.test('a Host that is given is taken as it is, and where no API serves the path it is any', async (t) => {
  const rules = rulesOf([], { integration: apiRules({ hosts: new Set(['events.test']) }) });
  const hostOf = (host: string | null, path = '/a') =>
    factsOf({ ip: '::1', method: 'GET', path, secure: true, now: NOW, origin: null, host }, rules).headers.host;
  t.equal(hostOf('other.test'), 'other.test');
  t.equal(hostOf(null), 'events.test');
  t.equal(hostOf(null, '/metrics/x?y'), 'localhost');
  const general = rulesOf([], { metrics: apiRules({ name: 'metrics', hosts: new Set(['m.test']) }) });
  const anywhere = { ip: '::1', method: 'GET', path: '/a', secure: true, now: NOW, origin: null };
  t.equal(factsOf(anywhere, general).headers.host, 'localhost', 'so it is where any Host will do');
});
