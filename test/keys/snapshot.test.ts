import t from 'tap';
import { compileKeys } from '../../src/keys/compile.ts';
import { readDefinition } from '../../src/keys/read-definition.ts';
import type { Key } from '../../src/keys/key.ts';
import { EMPTY_SNAPSHOT, endOf, keyState } from '../../src/keys/snapshot.ts';

const NOW = Date.UTC(2027, 0, 1);
const AT = '2027-01-01T00:00:00Z';
const AFTER = '2027-01-01T00:00:01Z';

function stateOf(written: object) {
  const read = readDefinition({ id: 'a', type: 'write-only', secrets: [{ value: 's' }], ...written });
  if (!read.ok) throw new Error(JSON.stringify(read.findings));
  const key = compileKeys([{ id: 'a', definition: read.value }], 1).byId.get('a');
  return key && keyState(key, NOW);
}

t.equal(stateOf({}), 'active');
t.equal(stateOf({ enabled: false }), 'disabled');
t.equal(stateOf({ expiresAt: AFTER }), 'active');
t.equal(stateOf({ expiresAt: AT }), 'expired');
t.equal(stateOf({ secrets: [{ value: 's', expiresAt: AT }] }), 'expired', 'when its every secret has');
t.equal(stateOf({ secrets: [{ value: 's', expiresAt: AT }, { value: 't' }] }), 'active');
t.equal(EMPTY_SNAPSHOT.version, 0, 'before the first reading');
t.same([EMPTY_SNAPSHOT.byId.size, EMPTY_SNAPSHOT.bySecret.size, EMPTY_SNAPSHOT.invalid.length], [0, 0, 0]);

function endsAt(written: object) {
  const read = readDefinition({ id: 'a', type: 'write-only', secrets: [{ value: 's' }], ...written });
  if (!read.ok) throw new Error(JSON.stringify(read.findings));
  return endOf(compileKeys([{ id: 'a', definition: read.value }], 1).byId.get('a') as Key);
}

t.equal(endsAt({}), Infinity);
t.equal(endsAt({ expiresAt: AT }), NOW);
t.equal(
  endsAt({
    secrets: [
      { value: 's', expiresAt: AT },
      { value: 't', expiresAt: AFTER },
    ],
  }),
  NOW + 1000,
);
t.equal(endsAt({ secrets: [{ value: 's', expiresAt: AT }, { value: 't' }] }), Infinity);
t.equal(endsAt({ expiresAt: AT, secrets: [{ value: 's', expiresAt: AFTER }] }), NOW, 'whichever comes first');
t.equal(endsAt({ expiresAt: AFTER, secrets: [{ value: 's', expiresAt: AT }] }), NOW);
