import t from 'tap';
import { entityTag } from '../../src/admin/definition-view.ts';
import { keyOperations } from '../../src/admin/key-operations.ts';
import type { SharedRecords } from '../../src/keys/definition.ts';
import { hashSecret } from '../../src/keys/secret-hash.ts';
import { asking, loadedKey, storedWorld } from '../support/admin-operations.ts';

const WEB = loadedKey({ id: 'web', type: 'write-only', secret: 'the-secret-of-web' });
const BROKEN = { id: 'broken', invalid: 'it is not JSON' };

const RECORDS: SharedRecords = {
  policies: new Map([
    ['readers', { id: 'readers', definition: { type: 'read-only' } } as const],
    ['odd', { id: 'odd', definition: {} }],
    ['torn', { id: 'torn', invalid: 'it is not JSON' }],
  ]),
  lists: new Map(),
};

function started(keys = [WEB, BROKEN], records = RECORDS) {
  const world = storedWorld(keys, records);
  const asked: number[] = [];
  const random = (bytes: number): Uint8Array => {
    asked.push(bytes);
    return new Uint8Array(bytes).fill(asked.length);
  };
  const ask = asking(keyOperations({ changes: world.changes, keys: world.snapshot, random }));
  return { world, ask, asked };
}

t.test('the list: what is stored, and apart from it what cannot be read', async (t) => {
  const { ask, world } = started();
  const { status, body, tag = '' } = await ask('listKeys');
  t.same([status, body.keys.length, body.keys[0].id], [200, 1, 'web']);
  t.same(body.invalid, [{ id: 'broken', why: 'it is not JSON' }]);
  const inForce = await ask('listKeys', { query: { of: 'inForce' } });
  t.same([inForce.status, inForce.body.keys[0].id, inForce.body.invalid], [200, 'web', body.invalid]);
  t.not(inForce.tag, tag, 'a tag of one list is none of the other');
  world.keys = [WEB, loadedKey({ id: 'k', policy: 'readers', secret: 'the-secret-of-k' })];
  t.equal((await ask('listKeys')).body.keys[1].type, 'read-only', 'shown with what it has from its policy');
  t.equal((await ask('listKeys', { query: { of: 'yesterday' } })).status, 422);
  t.equal((await ask('getKey', { params: { id: 'web' }, query: { of: 'yesterday' } })).status, 422);
});

t.test(
  'the list is not sent again while nothing changed, unless it cannot be known whether something did',
  async (t) => {
    const { ask, world, asked } = started();
    t.same(asked, [9], 'the tags of each process are its own');
    const lists = [{}, { of: 'inForce' }];
    for (const query of lists) {
      const { tag = '' } = await ask('listKeys', { query });
      t.match(tag, /^"[\w-]{12}-1-[a-z-]+"$/);
      const again = await ask('listKeys', { query, ifNoneMatch: tag });
      t.same([again.status, again.body, again.tag], [304, undefined, tag]);
      t.equal((await ask('listKeys', { query, ifNoneMatch: '"other"' })).status, 200);
    }
    const { tag = '' } = await ask('listKeys');
    world.up = false;
    t.equal((await ask('listKeys', { ifNoneMatch: tag })).status, 200, 'the store is asked');
    world.failure = { kind: 'unavailable', why: 'It is away.' };
    t.same((await ask('listKeys', { ifNoneMatch: tag })).body.code, 'source_unavailable');
    t.same((await ask('listKeys')).body.code, 'source_unavailable');
    t.equal(
      (await ask('listKeys', { query: { of: 'inForce' } })).status,
      200,
      'what is in force is known all the same',
    );
    world.failure = null;
    t.equal((await ask('deleteKey', { params: { id: 'web' }, ifMatch: '*' })).status, 204);
    for (const query of lists) t.equal((await ask('listKeys', { query, ifNoneMatch: tag })).status, 200, 'it changed');
  },
);

t.test(
  'who asks while the stored keys are read waits for that reading, unless the keys have changed since',
  async (t) => {
    const world = storedWorld([WEB]);
    const reads: (() => void)[] = [];
    const list = async () => {
      await new Promise<void>((done) => void reads.push(done));
      return world.changes.list();
    };
    const ports = {
      changes: { ...world.changes, list },
      keys: world.snapshot,
      random: (n: number) => new Uint8Array(n),
    };
    const ask = asking(keyOperations(ports));
    const asked = [ask('listKeys'), ask('listKeys')];
    t.equal(reads.length, 1);
    t.equal((await ask('deleteKey', { params: { id: 'web' }, ifMatch: '*' })).status, 204);
    asked.push(ask('listKeys'));
    t.equal(reads.length, 2, 'whoever made a change sees it');
    for (const done of reads) done();
    t.same(
      (await Promise.all(asked)).map(({ status, tag }) => [status, /-(\d+)-stored"$/.exec(tag ?? '')?.[1]]),
      [
        [200, '1'],
        [200, '1'],
        [200, '2'],
      ],
    );
    const later = ask('listKeys');
    t.equal(reads.length, 3, 'nothing is kept');
    reads[2]?.();
    t.equal((await later).status, 200);
  },
);

t.test('before anything was loaded there is nothing in force, and what is stored is shown', async (t) => {
  const { ask, world } = started();
  world.loaded = false;
  t.match((await ask('listKeys')).tag, /-0-stored"$/);
  t.equal((await ask('listKeys')).body.keys[0].id, 'web');
  t.same((await ask('listKeys', { query: { of: 'inForce' } })).body, { keys: [], invalid: [] });
  t.equal((await ask('getKey', { params: { id: 'web' }, query: { of: 'inForce' } })).status, 404);
  t.equal((await ask('getKey', { params: { id: 'web' } })).status, 200);
  world.keys = [loadedKey({ id: 'k', policy: 'readers', secret: 'the-secret-of-k' })];
  t.equal((await ask('getKey', { params: { id: 'k' } })).body.type, 'write-only', 'its policy is not known');
});

t.test('one key: as it is stored or in force, and what cannot be read with the tag that deletes it', async (t) => {
  const { ask, world } = started();
  const shown = await ask('getKey', { params: { id: 'web' } });
  t.same([shown.status, shown.body.id, shown.headers['etag']], [200, 'web', entityTag(WEB)]);
  t.equal((await ask('getKey', { params: { id: 'nobody' } })).body.code, 'not_found');
  t.equal((await ask('getKey', { params: { id: 'nobody' }, query: { of: 'inForce' } })).body.code, 'not_found');
  const inForce = await ask('getKey', { params: { id: 'web' }, query: { of: 'inForce' } });
  t.same([inForce.status, inForce.body.secrets], [200, shown.body.secrets]);
  const broken = await ask('getKey', { params: { id: 'broken' } });
  t.same([broken.status, broken.body.code], [409, 'malformed_definition']);
  t.match(broken.body.detail, /it is not JSON.* can be deleted/);
  const ifMatch = broken.headers['etag'] ?? '';
  const replaced = await ask('replaceKey', { params: { id: 'broken' }, body: { type: 'read-only' }, ifMatch });
  t.same([replaced.body.code, replaced.body.detail], ['malformed_definition', broken.body.detail]);
  t.equal((await ask('deleteKey', { params: { id: 'broken' }, ifMatch })).status, 204);
  t.same(world.keys, [WEB]);
  world.failure = { kind: 'unavailable', why: 'It is away.' };
  t.equal((await ask('getKey', { params: { id: 'web' } })).body.code, 'source_unavailable');
});

t.test('a new key: its secret names the type that it has, also from its policy', async (t) => {
  const { ask, world, asked } = started();
  const made = async (body: unknown) => (await ask('createKey', { body })).body;
  t.match((await made({ id: 'a', type: 'read-write' })).secret, /^pstn_rw_/);
  t.match((await made({ id: 'b', policy: 'readers' })).secret, /^pstn_ro_/);
  t.match(
    (await made({ id: 'c', policy: 'readers', type: 'read-write' })).secret,
    /^pstn_rw_/,
    'its own type is stronger',
  );
  t.match((await made({ id: 'd', policy: 'odd', type: 'write-only' })).secret, /^pstn_wo_/);
  for (const policy of ['odd', 'torn', 'nobody', 7])
    t.match((await ask('createKey', { body: { id: `x-${policy}`, policy } })).status, policy === 7 ? 422 : 201);
  for (const body of [null, 'x', undefined, []])
    t.equal((await ask('createKey', { body })).status, 422, JSON.stringify(body));
  t.same(new Set(asked.slice(1)), new Set([32]), 'each secret is 256 bits of chance');
  const metrics = await ask('createKey', { body: { id: 'm', type: 'metrics' } });
  t.same([metrics.status, metrics.headers['location']], [201, '/api/keys/m']);
  t.match(metrics.headers['etag'], /^"[\w-]+"$/);
  t.match([metrics.body.secret, metrics.body.apiKey], [/^pstn_mt_/, /^pstn_mt_/]);
  t.not(metrics.body.secret, metrics.body.apiKey);
  const stored = world.keys.find(({ id }) => id === 'm');
  t.match(stored, {
    definition: {
      secrets: [{ hash: hashSecret(metrics.body.secret), expiresAt: null }],
      apiKey: hashSecret(metrics.body.apiKey),
    },
  });
  world.keys = [WEB];
  const own = await made({ id: 'm', type: 'metrics', apiKey: 'an-api-key-of-their-own' });
  t.same(Object.keys(own), ['key', 'secret'], 'an API key that was sent is not shown');
  t.same(world.told.at(-1), {
    action: 'create_key',
    keyId: 'm',
    fields: Object.keys((world.keys.at(-1) as { definition: object }).definition),
    secretId: undefined,
  });
});

t.test('a key is not created twice, not from a mistake, and not where nothing can be written', async (t) => {
  const { ask, world } = started();
  const taken = await ask('createKey', { body: { id: 'web', type: 'write-only' } });
  t.same([taken.status, taken.body.code], [409, 'id_taken']);
  t.equal(taken.body.detail, 'There is a key "web" already.');
  t.equal((await ask('createKey', { body: { id: 'broken', type: 'write-only' } })).body.code, 'id_taken');
  const wrong = await ask('createKey', { body: { id: 'new' } });
  t.same([wrong.status, wrong.body.code, wrong.body.findings[0].field], [422, 'invalid_definition', 'type']);
  world.readOnly = 'the file is read-only';
  t.equal((await ask('createKey', { body: { id: 'new' } })).body.code, 'read_only', 'nothing else matters then');
  t.same(world.keys, [WEB, BROKEN]);
  t.same(world.told, []);
});

t.test('a replacement and a removal rest on what the key is now, and are answered as it is then', async (t) => {
  const { ask, world } = started();
  const params = { id: 'web' };
  const body = { type: 'read-only' };
  for (const operation of ['replaceKey', 'deleteKey']) {
    const code = async (ifMatch?: string, id = 'web') =>
      (await ask(operation, { params: { id }, body, ...(ifMatch !== undefined && { ifMatch }) })).body.code;
    t.same(
      [await code(), await code('"0"'), await code('*', 'nobody'), await code(undefined, 'nobody')],
      ['precondition_required', 'precondition_failed', 'not_found', 'not_found'],
      operation,
    );
  }
  t.same(world.told, []);
  const ifMatch = entityTag(WEB);
  const wrong = await ask('replaceKey', { params, body: { type: 'x' }, ifMatch });
  t.same([wrong.status, wrong.body.findings[0].field], [422, 'type']);
  const replaced = await ask('replaceKey', { params, body, ifMatch });
  t.same([replaced.status, replaced.body.type], [200, 'read-only']);
  t.equal(replaced.headers['etag'], entityTag(world.keys.at(-1) ?? BROKEN));
  t.not(replaced.headers['etag'], ifMatch);
  t.equal((await ask('deleteKey', { params, ifMatch })).body.code, 'precondition_failed', 'it is another key by now');
  const removed = await ask('deleteKey', { params, ifMatch: replaced.headers['etag'] ?? '' });
  t.same([removed.status, removed.body], [204, undefined]);
  t.same(
    world.told.map((one) => (one as { action: string }).action),
    ['replace_key', 'delete_key'],
  );
  t.same(world.keys, [BROKEN]);
});
