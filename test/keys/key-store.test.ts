import t from 'tap';
import type { AddressItem, KeyDefinition } from '../../src/keys/definition.ts';
import { definitionVersion } from '../../src/keys/key-store.ts';
import { readDefinition, readStoredDefinition } from '../../src/keys/read-definition.ts';
import { digest } from '../support/redis-keys.ts';

function definition(written: Record<string, unknown>): KeyDefinition {
  const read = readDefinition({ id: 'a', type: 'metrics', secret: 'one', apiKey: 'the-api-key', ...written });
  if (!read.ok) throw new Error(JSON.stringify(read.findings));
  return read.value;
}

const WRITTEN = {
  description: 'what for',
  rateLimit: { requests: 10, windowSeconds: 60 },
  expiresAt: '2030-01-01T00:00:00Z',
  allowFrom: ['192.0.2.1', { address: '2001:db8::/32', description: 'office' }],
};
const BASE = definition(WRITTEN);

const version = (value: KeyDefinition): string => definitionVersion({ id: value.id, definition: value });

t.test('a key in a file and the same key in Redis have one version', async (t) => {
  const stored = {
    apiKey: `sha256:${digest('the-api-key')}`,
    secrets: [{ expiresAt: null, hash: `sha256:${digest('one')}` }],
    allowFrom: [{ description: '', address: '192.0.2.1' }, WRITTEN.allowFrom[1]],
    rateLimit: { windowSeconds: 60, requests: 10 },
    mode: 'enforce',
    enabled: true,
    cacheTtlMinutes: 5,
    type: 'metrics',
    expiresAt: WRITTEN.expiresAt,
    description: 'what for',
  };
  t.equal(definitionVersion(readStoredDefinition('a', JSON.stringify(stored))), version(BASE));
});

t.test('every field counts', async (t) => {
  const changed: Record<keyof KeyDefinition, unknown> = {
    id: 'b',
    description: 'what for ',
    type: 'read-write',
    secrets: [],
    enabled: false,
    expiresAt: null,
    allowFrom: 'anywhere',
    allowedEvents: 'all',
    disallowedEvents: 'remove',
    allowedOrigins: [],
    allowBrowsers: true,
    policy: 'p',
    apis: ['a'],
    allowedRoutes: [],
    denyFrom: [{ address: '::1', description: '' }],
    accessToken: 'never',
    rateLimit: null,
    mode: 'report',
    apiKey: null,
    cacheTtlMinutes: 6,
  };
  t.same(Object.keys(changed).sort(), Object.keys(BASE).sort());
  const versions = new Set([version(BASE)]);
  for (const [field, value] of Object.entries(changed)) versions.add(version({ ...BASE, [field]: value }));
  t.equal(versions.size, 1 + Object.keys(changed).length);
});

t.test('so does what stands deep inside a field', async (t) => {
  const [first, second] = BASE.allowFrom as readonly AddressItem[];
  if (first === undefined || second === undefined) throw new Error('two addresses were written');
  const [secret] = BASE.secrets;
  if (secret === undefined) throw new Error('a secret was written');
  const versions = [
    BASE,
    { ...BASE, allowFrom: [first, { ...second, description: 'Office' }] },
    { ...BASE, allowFrom: [second, first] },
    { ...BASE, secrets: [{ ...secret, expiresAt: '2030-01-01T00:00:00Z' }] },
    { ...BASE, rateLimit: { requests: 60, windowSeconds: 10 } },
  ].map(version);
  t.equal(new Set(versions).size, versions.length);
});

t.test('a word is not what it looks like', async (t) => {
  const versions = [
    { ...BASE, allowedEvents: 'all' as const, expiresAt: null },
    { ...BASE, allowedEvents: ['all'], expiresAt: null },
    { ...BASE, allowedEvents: ['all'], expiresAt: 'null' },
    { ...BASE, allowedEvents: ['a,b'], expiresAt: null },
    { ...BASE, allowedEvents: ['a', 'b'], expiresAt: null },
    { ...BASE, allowedEvents: ['a","b'], expiresAt: null },
  ].map(version);
  t.equal(new Set(versions).size, versions.length);
});

t.test('keys that cannot be read have a version each, which no readable key has', async (t) => {
  const versions = [
    { id: 'a', invalid: 'it is not JSON' },
    { id: 'b', invalid: 'it is not JSON' },
    { id: 'a', invalid: 'it is not a JSON object' },
    { id: 'a', invalid: JSON.stringify(BASE) },
    { id: 'a', invalid: '' },
  ].map(definitionVersion);
  t.equal(new Set([...versions, version(BASE)]).size, versions.length + 1);
});

t.test('a version is short and safe to show', async (t) => {
  t.match(version(BASE), /^[0-9a-f]{32}$/);
  t.match(definitionVersion({ id: '"\r\n', invalid: '"\r\n' }), /^[0-9a-f]{32}$/);
});
