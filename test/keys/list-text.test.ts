import t from 'tap';
import { parseAddress } from '../../src/lib/address.ts';
import { addressSetOf } from '../../src/lib/cidr.ts';
import { compileListText } from '../../src/keys/compile-list-text.ts';
import { readListText } from '../../src/keys/list-text.ts';

t.test('one address or range in a line, with blank lines and comments', async (t) => {
  const read = readListText('\uFEFF# ranges\r\n\r\n203.0.113.0/28 # office\r\n  2001:db8::/48\n198.51.100.7');
  if (!read.ok) throw new Error(read.why);
  t.equal(read.entries, 3);
  t.equal(readListText('\uFEFF203.0.113.0/28\n').ok, true, 'a byte order mark stands before the first');
  const set = addressSetOf(read.ranges);
  for (const text of ['203.0.113.15', '2001:db8::1', '198.51.100.7']) t.equal(set.has(parseAddress(text)), true, text);
  t.equal(set.has(parseAddress('203.0.113.16')), false);
});

t.test('what is no list is none, as a whole', async (t) => {
  const broken = [
    '',
    '# nothing\n\n',
    '<!doctype html><html></html>',
    '[\n"203.0.113.0/28"\n]',
    '{"prefixes":[]}',
    '203.0.113.0/28\n203.0.113.0/28, 198.51.100.7',
    '203.0.113.1/28',
    '203.0.113.0/28\n203.0.11',
    '0313.0.113.7',
    '203.0.113.0/28;',
  ];
  for (const text of broken) t.equal(readListText(text).ok, false, JSON.stringify(text));
  const read = readListText('203.0.113.0/28\n\n10.0.0.1/8');
  t.match(read.ok ? '' : read.why, /^line 3 is no address: 10\.0\.0\.1\/8 has host bits set/);
  t.equal(!read.ok && read.line, 3);
  for (const text of ['', '# nothing\n\n', '\n \n'])
    t.same(readListText(text), { ok: false, why: 'it holds no address', line: 1 });
});

t.test('a long text is read in a thread, to the same end', async (t) => {
  const { signal } = new AbortController();
  const text = Array.from({ length: 5000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`).join('\n');
  const read = await compileListText(text, signal);
  if (!read.ok) throw new Error(read.why);
  t.equal(read.entries, 5000);
  t.equal(addressSetOf(read.ranges).has(parseAddress('10.19.135.9')), true);
  t.same(await compileListText(`${text}\nno address`, signal), readListText(`${text}\nno address`));
  const ended = new AbortController();
  const reading = compileListText(text, ended.signal);
  ended.abort();
  await t.rejects(reading);
});
