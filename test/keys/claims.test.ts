import t from 'tap';
import { createClaims, createIdClaims } from '../../src/keys/claims.ts';
import { readDefinition } from '../../src/keys/read-definition.ts';
import { hashSecret } from '../../src/keys/secret-hash.ts';
import { wholeDefinition } from '../../src/keys/whole-definition.ts';
import { NO_RECORDS, type WholeDefinition } from '../../src/keys/definition.ts';

t.test('an id is claimed once', async (t) => {
  const claim = createIdClaims();
  const found = [{ id: 'a' }, { id: 'b' }, { id: 'a' }, { id: 'a', type: 'x' }, {}, null, { id: 1 }, { id: 1 }].map(
    claim,
  );
  t.same(
    found.map((findings) => findings.map(({ path }) => path)),
    [[], [], [['id']], [['id']], [], [], [], []],
  );
  for (const nothing of [undefined, 'a', 7, ['a']]) t.same(claim(nothing), [], 'what is no mapping claims nothing');
  t.match(found[2], [{ message: /is used twice: give this key another id than "a"/ }]);
});

function whole(written: object): WholeDefinition {
  const read = readDefinition(written);
  const made = read.ok ? wholeDefinition(read.value, NO_RECORDS) : read;
  if (!made.ok) throw new Error('not a key');
  return made.value;
}

t.test('a secret is claimed once, and so is the place of the metrics key', async (t) => {
  const claim = createClaims();
  const tell = (written: object) => claim(whole(written), written);
  const metrics = { type: 'metrics', apiKey: 'k', allowFrom: [] };
  t.same(tell({ id: 'a', type: 'write-only', secret: 'one' }), []);
  t.same(tell({ id: 'm', ...metrics, secret: 'two' }), []);
  t.match(tell({ id: 'b', type: 'write-only', secret: 'one' }), [
    { path: ['secret'], message: 'is also a secret of the key a; give each key its own' },
  ]);
  const secrets = [{ value: 'three' }, { hash: hashSecret('two') }];
  t.match(tell({ id: 'n', ...metrics, secrets }), [
    { path: ['type'], message: 'cannot be metrics: there may be one metrics key, and m is it' },
    { path: ['secrets', 1], message: 'is also a secret of the key m; give each key its own' },
  ]);
});
