import t from 'tap';
import { createDefinitionKinds, type Written } from '../../src/keys/definition-kinds.ts';
import { digest } from '../support/redis-keys.ts';

const hashOf = (name: string): string => `sha256:${digest(name)}`;
const written = (name: string, more: Written = {}): Written => ({
  id: name,
  type: 'write-only',
  secrets: [{ hash: hashOf(name) }],
  ...more,
});

t.test("what is a key's own is told apart from its kind", async (t) => {
  const kinds = createDefinitionKinds<string>();
  const one = written('one', { description: 'first', allowFrom: ['10.0.0.1'], allowedEvents: ['a', 'b'] });
  t.equal(kinds.find(one), null);
  kinds.remember(one, 'kind');
  const other = { description: 'second', allowFrom: ['10.0.0.0/8', '::1'], allowedEvents: ['a', 'b'] };
  t.strictSame(kinds.find(written('two', other)), {
    known: 'kind',
    own: {
      id: 'two',
      description: 'second',
      secrets: [{ hash: hashOf('two'), expiresAt: null }],
      addresses: ['10.0.0.0/8', '::1'],
    },
  });
  t.strictSame(kinds.find(written('two', { ...other, allowFrom: [] }))?.own.addresses, []);
});

t.test('what is not there, or is no list of addresses, belongs to the kind', async (t) => {
  const kinds = createDefinitionKinds<string>();
  for (const [name, more] of Object.entries({ bare: {}, anywhere: { allowFrom: 'anywhere' } })) {
    kinds.find(written('one', more));
    kinds.remember(written('one', more), name);
    const alike = kinds.find(written('two', more));
    t.equal(alike?.known, name);
    t.equal(alike?.own.description, null);
    t.equal(alike?.own.addresses, null);
  }
});

t.test('another kind is any with another value, name, order, form or number of fields', async (t) => {
  const kinds = createDefinitionKinds<string>();
  const base = {
    description: 'text',
    allowFrom: ['10.0.0.1'],
    allowedEvents: ['a', 'b'],
    rateLimit: { requests: 1, windowSeconds: 1 },
    cacheTtlMinutes: null,
  };
  kinds.find(written('one', base));
  kinds.remember(written('one', base), 'kind');
  t.equal(kinds.find(written('two', base))?.known, 'kind');
  const { description: _, ...bare } = base;
  for (const [what, more] of Object.entries({
    'a list that is longer': { ...base, allowedEvents: ['a', 'b', 'c'] },
    'a list in another order': { ...base, allowedEvents: ['b', 'a'] },
    'a list of lists': { ...base, allowedEvents: [['a'], ['b']] },
    'no list': { ...base, allowedEvents: { 0: 'a', 1: 'b' } },
    'a word for a list': { ...base, allowedEvents: 'all' },
    'another number inside': { ...base, rateLimit: { requests: 2, windowSeconds: 1 } },
    'one more inside': { ...base, rateLimit: { requests: 1, windowSeconds: 1, more: 1 } },
    'a number that JSON writes as null': { ...base, cacheTtlMinutes: Infinity },
    'another such number': { ...base, cacheTtlMinutes: Number.NaN },
    'one more field': { ...base, mode: 'report' },
    'one field less': bare,
    'a field of another name': { ...bare, descriptions: 'text' },
    'null for a text': { ...base, description: null },
    'a number for a text': { ...base, description: 1 },
    'a word for addresses': { ...base, allowFrom: 'anywhere' },
    'a name of every object': { ...bare, toString: 'text' },
  }))
    t.equal(kinds.find(written('two', more)), null, what);
  t.equal(kinds.find({ ...base, ...written('two') }), null, 'the same in another order');
});

t.test('what is not plainly right has to be read in full, and makes no kind', async (t) => {
  const hash = hashOf('two');
  for (const [what, more] of Object.entries<Written>({
    'no id': { id: 7 },
    'an id in capitals': { id: 'Two' },
    'an id with a line end': { id: 'two\n' },
    'no secrets': { secrets: [] },
    'no list of secrets': { secrets: { hash } },
    'a secret twice': { secrets: [{ hash }, { hash }] },
    'a secret in the clear': { secrets: [{ value: 'plain' }] },
    'a secret with an expiry': { secrets: [{ hash, expiresAt: null }] },
    'a hash in capitals': { secrets: [{ hash: hash.toUpperCase() }] },
    'a hash with a line end': { secrets: [{ hash: `${hash}\n` }] },
    'a hash that is none': { secrets: [{ hash: null }] },
    'a secret that is none': { secrets: [null] },
    'a text for a secret': { secrets: ['plain'] },
    'host bits': { allowFrom: ['10.0.0.1/8'] },
    'no address': { allowFrom: ['10.0.0.256'] },
    'a name of a list': { allowFrom: ['10.0.0.1', { list: 'office' }] },
  })) {
    const kinds = createDefinitionKinds<string>();
    const right = written('one', { allowFrom: ['10.0.0.1'] });
    const wrong = written('two', { allowFrom: ['10.0.0.1'], ...more });
    t.equal(kinds.find(wrong), null);
    kinds.remember(wrong, 'wrong');
    t.equal(kinds.find(right), null, `${what} makes no kind`);
    kinds.remember(right, 'kind');
    t.equal(kinds.find(wrong), null, what);
    kinds.remember(wrong, 'wrong');
    t.equal(kinds.find(right)?.known, 'kind', `${what} takes no other's place`);
  }
});

t.test('what is nested deeper than can be written is of no kind', async (t) => {
  const kinds = createDefinitionKinds<string>();
  const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
  kinds.find(written('one', { allowedEvents: ['a'] }));
  kinds.remember(written('one', { allowedEvents: ['a'] }), 'kind');
  for (const more of [{ allowedEvents: deep }, { allowedEvents: [deep] }, { other: deep }])
    t.equal(kinds.find(written('two', more)), null);
});

t.test('kinds in turn are all remembered, and found again after very many others', async (t) => {
  const kinds = createDefinitionKinds<number>();
  const ofKind = (kind: number): Written => written('key', { allowedEvents: [`event-${kind}`] });
  const seen = (kind: number): number | undefined => {
    const known = kinds.find(ofKind(kind))?.known;
    if (known === undefined) kinds.remember(ofKind(kind), kind);
    return known;
  };
  for (let kind = 0; kind < 1000; kind++) seen(kind);
  for (let kind = 0; kind < 1000; kind++) if (seen(kind) !== kind) t.fail(`kind ${kind} is not known`);
  t.equal(seen(1000), undefined);
  t.equal(seen(1001), undefined);
  t.equal(seen(1000), 1000, 'there is room for more kinds');
  t.equal(seen(1001), 1001);
  t.equal(seen(0), undefined, 'since those of before had to go');
});

t.test('where each key is of a kind of its own none is looked for any more, but the latest', async (t) => {
  const kinds = createDefinitionKinds<number>();
  const ofKind = (kind: number): Written => written('key', { allowedEvents: [`event-${kind}`] });
  for (let kind = 0; kind <= 1000; kind++) {
    t.equal(kinds.find(ofKind(kind)), null);
    kinds.remember(ofKind(kind), kind);
  }
  t.equal(kinds.find(ofKind(1000))?.known, 1000);
  t.equal(kinds.find(ofKind(1001)), null);
  kinds.remember(ofKind(1001), 1001);
  t.equal(kinds.find(ofKind(1001)), null);
  t.equal(kinds.find(ofKind(1000))?.known, 1000);
});
