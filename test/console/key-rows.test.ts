/** The rows of the table of keys. */
import t from 'tap';
import { keyRows, select, sort, type KeyRow } from '../../src/admin/console/keys/key-rows.ts';

const definition = (id: string, more: object = {}) => ({
  id,
  description: '',
  type: 'write-only' as const,
  secrets: [],
  enabled: true,
  expiresAt: null,
  allowFrom: 'anywhere' as const,
  allowedEvents: 'all' as const,
  disallowedEvents: 'remove' as const,
  allowedOrigins: ['*'],
  apis: 'all' as const,
  allowedRoutes: 'all' as const,
  denyFrom: [],
  accessToken: 'allowed' as const,
  policy: null,
  inherited: [],
  allowBrowsers: null,
  rateLimit: null,
  mode: 'enforce' as const,
  apiKey: null,
  cacheTtlMinutes: null,
  ...more,
});
const counts = (byKey: Record<string, number>) => ({ total: 0, byReason: {}, byKey });
const summary = {
  minutes: [
    { time: '2026-01-01T00:00:00Z', enforce: counts({ web: 2 }), report: counts({}) },
    { time: '2026-01-01T00:01:00Z', enforce: counts({ web: 3, '': 9 }), report: counts({ trial: 1 }) },
  ],
};
const secret = (lastUsedAt: string | null) => ({ id: 'abcdefabcdef', lastUsedAt });
const status = {
  version: '0',
  cache: null,
  keyCounts: { active: 1, disabled: 0, expired: 0, invalid: 0, warned: 0 },
  config: { lastReloadSuccessful: true, lastLoadedAt: '2026-01-01T00:00:00Z' },
  keySource: { kind: 'file' as const, up: true, why: null, lastSyncAt: null, readOnly: null },
  keys: [
    {
      id: 'web',
      state: 'active' as const,
      why: null,
      warnings: [{ field: '', message: 'x' }],
      secrets: [secret(null), secret('2026-01-01T00:00:05Z'), secret('2026-01-01T00:00:03Z')],
    },
    { id: 'trial', state: 'expired' as const, why: null, warnings: [], secrets: [] },
  ],
};
const list = {
  keys: [definition('web', { description: 'Front End' }), definition('trial'), definition('off', { enabled: false })],
  invalid: [{ id: 'bad', why: 'id: must be text' }],
};
const rows = keyRows(list, status, summary);
const idsOf = (some: readonly KeyRow[]): string[] => some.map(({ id }) => id);

void t.test('join what is stored, how it stands and what was refused', async (t) => {
  t.match(rows[0], {
    id: 'web',
    state: 'active',
    refused: 5,
    wouldRefuse: 0,
    warnings: 1,
    lastUsedAt: '2026-01-01T00:00:05Z',
  });
  t.match(rows[1], { id: 'trial', state: 'expired', refused: 0, wouldRefuse: 1, lastUsedAt: null });
  t.match(rows[2], { id: 'off', state: 'disabled' });
  t.match(rows[3], { id: 'bad', state: 'invalid', definition: null, why: 'id: must be text' });
});

void t.test('are there before the state is read', async (t) => {
  t.same(
    keyRows(list, null, null).map(({ state }) => state),
    ['active', 'active', 'disabled', 'invalid'],
  );
});

void t.test('are chosen by text, type and state', async (t) => {
  t.same(idsOf(select(rows, { text: ' front', type: 'any', state: 'any' })), ['web']);
  t.same(idsOf(select(rows, { text: '', type: 'write-only', state: 'expired' })), ['trial']);
  t.same(idsOf(select(rows, { text: '', type: 'metrics', state: 'any' })), []);
});

void t.test('are sorted by a column, and by id where that is the same', async (t) => {
  t.same(idsOf(sort(rows, { column: 'refused', descending: true })), ['web', 'bad', 'off', 'trial']);
  t.same(idsOf(sort(rows, { column: 'id', descending: true })), ['web', 'trial', 'off', 'bad']);
});
