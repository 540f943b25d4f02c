import t from 'tap';
import type { HistoryChange } from '../../src/admin/console/api/types.ts';
import { actionInWords, fieldInWords, titleOf, whoInWords } from '../../src/admin/console/history/words.ts';

t.test('what was done, by whom, and to which field', async (t) => {
  const words = (action: string) => actionInWords({ action });
  t.same(['create_key', 'replace_policy', 'delete_list', 'rotate_secret', 'delete_secret', 'melt'].map(words), [
    'Created',
    'Changed',
    'Deleted',
    'New secret',
    'Secret deleted',
    'melt',
  ]);
  t.same(
    ['anna', 'file', 'redis'].map((who) => whoInWords({ who })),
    ['anna', 'Edit of the key file', 'Elsewhere, in Redis'],
  );
  t.same(['allowFrom', 'entries', 'new-field', 'constructor'].map(titleOf), [
    'Access control',
    'Addresses',
    'new-field',
    'constructor',
  ]);
});

t.test('a field is told as it was and as it is, a list by what came and went', async (t) => {
  const words = (name: string, before: unknown, after: unknown) => fieldInWords(name, { before, after });
  const office = { address: '192.0.2.0/24', description: 'Office' };
  t.same(words('allowFrom', 'anywhere', [office, { list: 'cdn' }]), {
    how: 'set',
    before: 'anywhere',
    after: '192.0.2.0/24 Office, list cdn',
  });
  t.same(words('allowFrom', [office, { list: 'cdn' }], [{ list: 'cdn' }, { address: '::1', description: '' }]), {
    how: 'list',
    added: ['::1'],
    removed: ['192.0.2.0/24 Office'],
  });
  t.same(words('allowedEvents', ['a', 'b'], ['b', 'a']), { how: 'set', before: 'a, b', after: 'b, a' });
  t.same(words('allowedEvents', 'all', []), { how: 'set', before: 'all', after: 'None' });
  t.same(words('expiresAt', null, '2027-01-01T00:00:00Z'), {
    how: 'set',
    before: 'Never',
    after: '2027-01-01T00:00:00Z',
  });
  t.same(words('mode', null, 'report'), { how: 'set', before: 'Not said', after: 'report' });
  t.same(words('enabled', true, false), { how: 'set', before: 'Yes', after: 'No' });
  t.same(words('description', '', 'x'), { how: 'set', before: 'Nothing', after: 'x' });
  t.same(words('cacheTtlMinutes', 5, 7), { how: 'set', before: '5', after: '7' });
  t.match(words('rateLimit', { requests: 5, windowSeconds: 1 }, null), { how: 'set', before: /5/, after: 'Not said' });
  t.same(
    words(
      'secrets',
      [
        { id: 'a', expiresAt: null },
        { id: 'gone', expiresAt: null },
      ],
      [
        { id: 'a', expiresAt: '2027-01-01T00:00:00Z' },
        { id: 'b', expiresAt: null },
      ],
    ),
    {
      how: 'list',
      added: ['b'],
      removed: ['gone'],
      changed: ['a ends 2027-01-01T00:00:00Z'],
    },
  );
  t.same(words('new-field', { x: 1 }, [1]), { how: 'set', before: '{"x":1}', after: '1' });
  const long: HistoryChange['fields'][string] = { before: null, after: null, tooLong: true };
  t.same(fieldInWords('entries', long), { how: 'too long' });
});
