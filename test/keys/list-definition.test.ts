import t from 'tap';
import { readListDefinition, writtenList } from '../../src/keys/list-definition.ts';

t.test('a list is written as short as it can be, and reads the same', async (t) => {
  const url = 'https://lists.example/a';
  for (const [written, shortest] of [
    [{ url, refreshMinutes: 60, maxEntries: 100_000 }, { url }],
    [
      { url, maxEntries: 10 },
      { url, maxEntries: 10 },
    ],
    [
      { url, refreshMinutes: 5 },
      { url, refreshMinutes: 5 },
    ],
    [{ file: 'a.txt' }, { file: 'a.txt' }],
    [
      [{ address: '192.0.2.1' }, { address: '192.0.2.2', description: 'HQ' }],
      ['192.0.2.1', { address: '192.0.2.2', description: 'HQ' }],
    ],
  ]) {
    const read = readListDefinition(written);
    if (!read.ok) throw new Error(JSON.stringify(read.findings));
    t.strictSame(writtenList(read.value), shortest);
    t.strictSame(readListDefinition(shortest), read);
  }
});
