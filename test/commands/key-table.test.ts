import t from 'tap';
import { keyTable, recordTable } from '../../src/commands/key-table.ts';
import { compileKeys } from '../../src/keys/compile.ts';
import type { LoadedDefinition } from '../../src/keys/definition.ts';
import { readStoredDefinition } from '../../src/keys/read-definition.ts';
import { NOON } from '../support/outcomes.ts';
import { definitionOf, digest } from '../support/redis-keys.ts';

const stored = (id: string, more: Record<string, unknown> = {}): LoadedDefinition =>
  readStoredDefinition(id, definitionOf(id, more));
const table = (...loaded: readonly LoadedDefinition[]): string[] => keyTable(loaded, compileKeys(loaded, 1), NOON);
/** What stands below these headings for the one key. */
function cells(loaded: LoadedDefinition, ...wanted: readonly string[]): string[] {
  const [headings = [], row = []] = table(loaded).map((line) => line.split(/ {2,}/));
  return wanted.map((heading) => row[headings.indexOf(heading)] ?? '');
}
const secretId = (secret: string): string => digest(secret).slice(0, 12);

t.test('no keys are a line of headings', async (t) => {
  t.same(table(), ['ID  TYPE  STATE  MODE  FROM  EVENTS  RATE  SECRETS  DESCRIPTION']);
});

t.test('columns stand below their headings, and no line ends in spaces', async (t) => {
  const lines = table(stored('a'), stored('a-long-name', { mode: 'report', description: 'why' }), {
    id: 'bad',
    invalid: 'it is not JSON',
  });
  t.equal(lines.length, 4);
  const [headings = '', ...rows] = lines;
  for (const heading of ['TYPE', 'STATE', 'MODE', 'FROM', 'SECRETS']) {
    const column = headings.indexOf(heading);
    for (const row of rows) t.match(row.slice(column - 2, column + 1), /^ {2}\S$/, `${heading}: ${row}`);
  }
  for (const line of lines) t.notMatch(line, / $/);
});

t.test('limits are told so that an empty list does not read like no limit', async (t) => {
  const limits = (more: Record<string, unknown>) => cells(stored('a', more), 'FROM', 'EVENTS', 'RATE');
  t.same(limits({}), ['anywhere', 'all', '-']);
  t.same(limits({ allowFrom: [], allowedEvents: [] }), ['0 locations', '0 events', '-']);
  t.same(limits({ allowFrom: ['::1'], allowedEvents: ['all'] }), ['1 location', '1 event', '-']);
  const rateLimit = { requests: 10, windowSeconds: 60 };
  t.same(limits({ allowFrom: ['192.0.2.1', '::/0'], rateLimit }), ['2 locations', 'all', '10/60s']);
  t.same(limits({ type: 'metrics', apiKey: 'the-api-key' }), ['anywhere', '-', '-'], 'it sends no events');
});

t.test('secrets show as their ids, and an API key not at all', async (t) => {
  const secrets = ['one', 'two'].map((secret) => ({ hash: `sha256:${digest(secret)}` }));
  const loaded = stored('m', { type: 'metrics', apiKey: 'the-api-key', secrets });
  t.same(cells(loaded, 'SECRETS'), [`${secretId('one')},${secretId('two')}`]);
  const text = table(loaded).join('\n');
  t.notMatch(text, /[0-9a-f]{13}/);
  for (const hidden of ['the-api-key', secretId('the-api-key')]) t.notMatch(text, hidden);
});

t.test('a key shows whether it can be used at the time that is handed in', async (t) => {
  const state = (more: Record<string, unknown>) => cells(stored('a', more), 'STATE')[0];
  t.equal(state({ expiresAt: new Date(NOON + 1).toISOString() }), 'active');
  t.equal(state({ expiresAt: new Date(NOON).toISOString() }), 'expired');
  t.equal(state({ enabled: false }), 'disabled');
});

t.test('a key that cannot be used says why, also when it only clashes with another', async (t) => {
  const same = { secrets: [{ hash: `sha256:${digest('same')}` }] };
  const [, a, b, c] = table(stored('a', same), stored('b', same), stored('c', { type: 'nothing' }));
  t.match(a, /^a +- +invalid .* it shares a secret with b$/);
  t.match(b, /^b +- +invalid .* it shares a secret with a$/);
  t.match(c, /^c +- +invalid .* type must be /);
  t.notMatch(`${a}${b}`, secretId('same'));
});

t.test('each key is one line, with nothing in it that a terminal obeys', async (t) => {
  const hostile = 'x\u001b[2J\r\n\u009b2J\u202e\u0007\u200by';
  const lines = table(
    readStoredDefinition(hostile, '{'),
    { id: 'b', invalid: hostile },
    stored('c', { description: hostile }),
  );
  t.equal(lines.length, 4);
  for (const line of lines) t.notMatch(line, /\p{C}/u);
  t.match(lines[1], /^x \[2J 2J y +- +invalid/);
  t.match(lines[3], /x \[2J 2J y$/);
});

t.test('policies and lists: what each is, or why it cannot be used', async (t) => {
  const file = (id: string) => ({ id, definition: { kind: 'file', file: 'cdn.txt' } }) as const;
  const url = { kind: 'url', url: 'https://example.com/?token=hidden', refreshMinutes: 5, maxEntries: 10 } as const;
  const entry = { address: '192.0.2.1', description: '' };
  const literal = (id: string, count: number) =>
    ({ id, definition: { kind: 'literal', entries: Array.from({ length: count }, () => entry) } }) as const;
  const lists = [
    literal('none', 0),
    literal('one', 1),
    literal('two', 2),
    file('cdn'),
    { id: 'cloud', definition: url },
    { id: 'torn\u001b[2J', invalid: 'it is no list\u0007' },
  ];
  const policies = [
    { id: 'partners', definition: { type: 'read-only', mode: 'report' } } as const,
    { id: 'bad', invalid: 'it is not JSON' },
  ];
  t.same(
    recordTable({
      policies: new Map(policies.map((one) => [one.id, one])),
      lists: new Map(lists.map((one) => [one.id, one])),
    }),
    [
      '',
      'policy  partners  type, mode',
      'policy  bad  invalid: it is not JSON',
      'list  none  0 entries',
      'list  one  1 entry',
      'list  two  2 entries',
      'list  cdn  file cdn.txt',
      'list  cloud  every 5 minutes from a URL',
      'list  torn [2J  invalid: it is no list ',
    ],
  );
  t.same(recordTable({ policies: new Map(), lists: new Map() }), [], 'not even a blank line');
});
