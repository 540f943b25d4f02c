import t from 'tap';
import type { KeyDefinition, Suggestion } from '../../src/admin/console/api/types.ts';
import { allLines, linesOf, takenOver } from '../../src/admin/console/observed/take-over.ts';

const lastSeen = '2026-03-02T09:14:11.000Z';
const seen = (...values: readonly string[]) => values.map((value) => ({ value, requests: 3, lastSeen }));

const SUGGESTION: Suggestion = {
  fields: {
    allowFrom: ['203.0.113.7', '203.0.113.8'],
    allowedRoutes: ['GET /a', 'POST /b'],
    allowedEvents: ['login', 'view'],
    allowedOrigins: [],
    rateLimit: { requests: 10, windowSeconds: 60 },
  },
  because: {
    allowFrom: seen('203.0.113.7', '203.0.113.8'),
    allowedRoutes: seen('GET /a', 'POST /b'),
    allowedEvents: seen('login', 'view'),
    rateLimit: seen('requests in the busiest minute'),
  },
  notSuggested: {},
  tooLittle: null,
};

const DEFINITION = {
  id: 'app',
  type: 'read-write',
  allowFrom: [{ address: '203.0.113.7', description: 'Office' }, { list: 'vpn' }],
} as unknown as KeyDefinition;

t.test('a box for each thing that was seen', (t) => {
  t.same(
    linesOf('allowFrom', SUGGESTION, 'read-write')?.map(({ value, requests }) => [value, requests]),
    [
      ['203.0.113.7', 3],
      ['203.0.113.8', 3],
    ],
  );
  t.same(
    linesOf('rateLimit', SUGGESTION, 'read-write')?.map(({ value }) => value),
    ['10 requests in 60 s'],
  );
  t.same(
    linesOf('allowedOrigins', SUGGESTION, 'write-only')?.map(({ value }) => value),
    ['None'],
  );
  t.equal(linesOf('allowedEvents', SUGGESTION, 'metrics'), null, 'keys of this type have no such field');
  t.equal(linesOf('allowBrowsers', SUGGESTION, 'read-write'), null);
  t.equal(new Set(allLines(SUGGESTION, 'read-write')).size, 8);
  t.end();
});

t.test('the chosen ones fill in the form, and nothing else changes', (t) => {
  const parts = takenOver(
    SUGGESTION,
    DEFINITION,
    new Set(['allowFrom 203.0.113.7', 'allowedEvents view', 'rateLimit']),
  );
  t.same(parts, {
    anywhere: false,
    locations: [{ address: '203.0.113.7', description: 'Office' }],
    allEvents: false,
    events: ['view'],
    limited: true,
    requests: '10',
    windowSeconds: '60',
  });
  t.same(takenOver(SUGGESTION, DEFINITION, new Set()), {});
  t.end();
});
