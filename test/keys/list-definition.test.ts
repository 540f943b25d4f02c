import t from 'tap';
import { isLoopbackHost, readListDefinition, writtenList } from '../../src/keys/list-definition.ts';

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

t.test('only this machine is asked for a list without TLS', async (t) => {
  for (const host of ['localhost', '[::1]', '127.0.0.1', '127.255.0.9']) t.equal(isLoopbackHost(host), true, host);
  for (const host of ['127.example.com', '127.0.0.1.example.com', 'localhost.example', '128.0.0.1', '[::2]', ''])
    t.equal(isLoopbackHost(host), false, host);
  const reads = (url: string): boolean => readListDefinition({ url }).ok;
  for (const url of ['https://lists.example/a', 'http://127.0.0.1:8080/a', 'http://localhost/a?b', 'https://a'])
    t.equal(reads(url), true, url);
  for (const url of [
    'http://lists.example/a',
    'http://127.example.com/a',
    'https://u@a/b',
    'https://a/b#c',
    'ftp://a/b',
  ])
    t.equal(reads(url), false, url);
});

t.test('how much a list may hold, and how often it is asked for', async (t) => {
  const reads = (more: object): boolean => readListDefinition({ url: 'https://lists.example/a', ...more }).ok;
  for (const maxEntries of [1, 1_000_000]) t.equal(reads({ maxEntries }), true);
  for (const maxEntries of [0, 1_000_001, 1.5, null]) t.equal(reads({ maxEntries }), false);
});

t.test('the mistakes of a list are those of the kind that was meant', async (t) => {
  const told = (written: unknown): string[] => {
    const read = readListDefinition(written);
    return read.ok ? [] : read.findings.map(({ path, message }) => `${path.join('.')} ${message}`);
  };
  t.match(told({ file: 'a.txt', fil: 1 }), [/^fil is not a known field; did you mean "file"/]);
  t.match(told({ file: 1 }), [/^file must be/]);
  t.match(told({ url: 'https://a', maxEntrys: 1 }), [/^maxEntrys is not a known field; did you mean "maxEntries"/]);
  t.match(told({ url: 1, file: 'a.txt' }), [/^url must be/, /^file is not a known field/]);
  t.match(told(['192.0.2.1', '192.0.2.1/24']), [/^1 /]);
  for (const written of [{}, null, 'a.txt']) t.equal(told(written).length, 1, JSON.stringify(written));
});
