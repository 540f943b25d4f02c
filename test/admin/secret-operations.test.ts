import t from 'tap';
import { entityTag } from '../../src/admin/definition-view.ts';
import { secretOperations } from '../../src/admin/secret-operations.ts';
import type { LoadedDefinition, SharedRecords } from '../../src/keys/definition.ts';
import { hashSecret } from '../../src/keys/secret-hash.ts';
import { asking, loadedKey, storedWorld } from '../support/admin-operations.ts';
import { NOON } from '../support/outcomes.ts';

const at = (seconds: number): string => new Date(NOON + seconds * 1000).toISOString();
const idOf = (secret: string): string => hashSecret(secret).slice(7, 19);
const WEB = loadedKey({
  id: 'web',
  type: 'read-write',
  description: 'Shop',
  secrets: [
    { value: 'it-never-ends' },
    { value: 'it-ends-soon', expiresAt: at(60) },
    { value: 'it-ends-late', expiresAt: at(7200) },
    { value: 'it-ends-now', expiresAt: at(0) },
    { value: 'it-is-over', expiresAt: at(-1) },
  ],
});
const records: SharedRecords = {
  policies: new Map([['readers', { id: 'readers', definition: { type: 'read-only' } }]]),
  lists: new Map(),
};

function started(...keys: readonly LoadedDefinition[]) {
  const world = storedWorld(keys, records);
  let seed = 0;
  const random = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(++seed);
  const ask = asking(secretOperations({ changes: world.changes, keys: world.snapshot, random, now: () => NOON }));
  const rotate = (id: string, overlapSeconds: unknown, ifMatch?: string) =>
    ask('rotateSecret', { params: { id }, body: { overlapSeconds }, ...(ifMatch !== undefined && { ifMatch }) });
  const remove = (id: string, secretId: string, ifMatch?: string) =>
    ask('deleteSecret', { params: { id, secretId }, ...(ifMatch !== undefined && { ifMatch }) });
  /** What is stored of a key. */
  const stored = (id: string) => {
    const one = world.keys.find((key) => key.id === id);
    if (one === undefined || !('definition' in one)) throw new Error(`no key ${id}`);
    return one.definition;
  };
  return { world, rotate, remove, stored };
}

t.test('the older secrets end after the overlap or by themselves before, and those that are over go', async (t) => {
  const { rotate, stored, world } = started(WEB);
  const { status, body } = await rotate('web', 3600);
  t.equal(status, 201);
  t.match(body.secret, /^pstn_rw_/);
  t.same(body, { id: idOf(body.secret), secret: body.secret });
  const { secrets, description } = stored('web');
  t.same(secrets, [
    { hash: hashSecret('it-never-ends'), expiresAt: at(3600) },
    { hash: hashSecret('it-ends-soon'), expiresAt: at(60) },
    { hash: hashSecret('it-ends-late'), expiresAt: at(3600) },
    { hash: hashSecret(body.secret), expiresAt: null },
  ]);
  t.equal(description, 'Shop', 'nothing else changes');
  t.same(world.told, [{ action: 'rotate_secret', keyId: 'web', fields: ['secrets'], secretId: body.id }]);
  const again = await rotate('web', 60);
  t.same(
    stored('web').secrets.map(({ expiresAt }) => expiresAt),
    [at(60), at(60), at(60), at(60), null],
    'one that ends at that very time keeps its own',
  );
  t.not(again.body.secret, body.secret);
});

t.test('the look of a secret tells the type of its key, wherever it has it from', async (t) => {
  const sharing = loadedKey({ id: 'sharing', policy: 'readers', secret: 'the-secret-of-sharing' });
  const lost = loadedKey({ id: 'lost', policy: 'nobody', secret: 'the-secret-of-lost' });
  const { rotate, world } = started(WEB, sharing, lost);
  const lookOf = async (id: string) => (await rotate(id, 0)).body.secret.slice(0, 8);
  t.same([await lookOf('web'), await lookOf('sharing')], ['pstn_rw_', 'pstn_ro_']);
  t.equal(await lookOf('lost'), 'pstn_wo_', 'one whose type is not known');
  world.loaded = false;
  t.same([await lookOf('web'), await lookOf('sharing')], ['pstn_rw_', 'pstn_wo_'], 'before anything was loaded');
});

t.test('a secret goes at once, and the last one never', async (t) => {
  const { remove, stored, world } = started(WEB);
  t.equal((await remove('web', idOf('it-never-ends'))).status, 204);
  t.equal(stored('web').secrets.length, 4);
  t.notOk(stored('web').secrets.some(({ hash }) => hash === hashSecret('it-never-ends')));
  t.equal(stored('web').description, 'Shop');
  t.same(world.told, [{ action: 'delete_secret', keyId: 'web', fields: ['secrets'], secretId: idOf('it-never-ends') }]);
  const gone = await remove('web', idOf('it-never-ends'));
  t.same([gone.status, gone.body.detail], [404, 'The key has no such secret.']);
  for (const secret of ['it-ends-soon', 'it-ends-late', 'it-ends-now'])
    t.equal((await remove('web', idOf(secret))).status, 204, secret);
  const last = await remove('web', idOf('it-is-over'));
  t.same([last.status, last.body.code], [409, 'last_secret']);
  t.equal(stored('web').secrets.length, 1);
});

t.test('what is not there, cannot be read, is another by now or cannot be written is refused', async (t) => {
  const { rotate, remove, world } = started(WEB, { id: 'broken', invalid: 'it is not JSON' });
  const codes = async (id: string, ifMatch?: string) => [
    (await rotate(id, 0, ifMatch)).body.code,
    (await remove(id, idOf('it-ends-soon'), ifMatch)).body.code,
  ];
  t.same(await codes('nobody'), ['not_found', 'not_found']);
  t.same(await codes('broken'), ['malformed_definition', 'malformed_definition']);
  t.same(await codes('web', '"0"'), ['precondition_failed', 'precondition_failed']);
  t.same((await rotate('web', -1)).body.code, 'invalid_request');
  t.same(world.told, []);
  t.equal((await rotate('web', 0, entityTag(WEB))).status, 201);
  const [web] = world.keys.filter(({ id }) => id === 'web');
  t.equal((await remove('web', idOf('it-never-ends'), entityTag(web ?? WEB))).status, 204);
  world.readOnly = 'the file is read-only';
  t.same(await codes('web'), ['read_only', 'read_only']);
  t.equal((await rotate('web', -1)).body.code, 'read_only', 'nothing else matters then');
  world.failure = { kind: 'unavailable', why: 'It is away.' };
  t.same((await rotate('web', 0)).body.code, 'source_unavailable');
});
