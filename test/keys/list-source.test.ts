import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { textOfList } from '../../src/keys/list-source.ts';

const { signal } = new AbortController();

t.test('a literal list is a text of its addresses', async (t) => {
  const entries = [
    { address: '192.0.2.1', description: 'HQ' },
    { address: '2001:db8::/32', description: '' },
  ];
  t.same(await textOfList({ kind: 'literal', entries }, signal), { ok: true, text: '192.0.2.1\n2001:db8::/32' });
});

t.test('a file is read whole, if it is text that is not too large', async (t) => {
  const file = join(t.testdir({ list: '192.0.2.1\n' }), 'list');
  const read = () => textOfList({ kind: 'file', file }, signal);
  t.same(await read(), { ok: true, text: '192.0.2.1\n' });
  writeFileSync(file, Buffer.from([0xff]));
  t.same(await read(), { ok: false, why: `${file} cannot be read: ERR_ENCODING_INVALID_ENCODED_DATA` });
  writeFileSync(file, '');
  truncateSync(file, 64 * 1024 * 1024 + 1);
  t.same(await read(), { ok: false, why: `${file} is too large` });
  t.same(await textOfList({ kind: 'file', file: `${file}.none` }, signal), {
    ok: false,
    why: `${file}.none cannot be read: ENOENT`,
  });
});

t.test('an answer may be as large as a list of so many entries can be', async (t) => {
  let bytes = 0;
  const server = createServer((_, res) => void res.end('#'.repeat(bytes)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const read = (size: number) => {
    bytes = size;
    return textOfList({ kind: 'url', url, refreshMinutes: 1, maxEntries: 1000 }, signal);
  };
  const most = 1_048_576 + 1000 * 128;
  t.equal((await read(most)).ok, true);
  t.same(await read(most + 1), { ok: false, why: 'it is too large' });
});

t.test('an answer may take half a minute', async (t) => {
  const { timeout } = AbortSignal;
  const waits: number[] = [];
  AbortSignal.timeout = (ms) => (waits.push(ms), AbortSignal.abort());
  t.teardown(() => (AbortSignal.timeout = timeout));
  const url = 'http://127.0.0.1:1/';
  t.same(await textOfList({ kind: 'url', url, refreshMinutes: 1, maxEntries: 1000 }, signal), {
    ok: false,
    why: 'no whole answer came within 30 s',
  });
  t.same(waits, [30_000]);
});
