import t from 'tap';
import {
  AddressEntriesSchema,
  AllowFromSchema,
  LiteralAddressSchema,
  recordName,
} from '../../src/config/address-entries.ts';

const takes = (schema: { safeParse: (value: unknown) => { success: boolean } }, value: unknown): boolean =>
  schema.safeParse(value).success;

t.test('how keys, policies and lists are named', async (t) => {
  for (const name of ['a', '0', 'a.b_c-9', 'a'.repeat(64)]) t.equal(takes(recordName, name), true, name);
  for (const name of ['', 'A', '-a', '.a', '_a', 'a b', 'a\n', 'ä', 'a/b', 'a'.repeat(65), 7, null])
    t.equal(takes(recordName, name), false, String(name));
});

t.test('who is on a list', async (t) => {
  for (const entry of ['192.0.2.1', '2001:db8::/32', { address: '::1' }, { address: '::1', description: 'HQ' }]) {
    t.equal(takes(LiteralAddressSchema, entry), true);
    t.equal(takes(AddressEntriesSchema, [entry]), true);
  }
  t.equal(takes(AddressEntriesSchema, [{ list: 'office' }]), true);
  t.equal(takes(LiteralAddressSchema, { list: 'office' }), false, 'a list names no other');
  for (const entry of [
    'office',
    '192.0.2.1/24',
    { address: '192.0.2.1/24' },
    { list: 'Office' },
    { list: 'office', address: '::1' },
    { address: '::1', note: 'x' },
    { description: 'HQ' },
    7,
  ])
    t.equal(takes(AddressEntriesSchema, [entry]), false, JSON.stringify(entry));
  t.same(AddressEntriesSchema.parse([{ address: '::1' }]), [{ address: '::1', description: '' }]);
});

t.test('anywhere is a word, and an empty list is nobody', async (t) => {
  for (const written of ['anywhere', [], ['::1']]) t.equal(takes(AllowFromSchema, written), true);
  for (const written of ['nowhere', '::1', ['anywhere'], null, {}]) t.equal(takes(AllowFromSchema, written), false);
  t.equal(takes(AddressEntriesSchema, 'anywhere'), false);
});
