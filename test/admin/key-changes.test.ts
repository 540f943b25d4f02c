import t from 'tap';
import { createKeyChanges, type KeyChangePorts } from '../../src/admin/key-changes.ts';
import { stateOfKey } from '../../src/admin/history/change.ts';
import type { Call } from '../../src/admin/operation.ts';
import { fieldFindings, invalid, problem, type AdminProblem } from '../../src/admin/problem.ts';
import { NO_RECORDS, type KeyDefinition } from '../../src/keys/definition.ts';
import type { Change, Decide, KeyStore, StoreFailure, Updated } from '../../src/keys/key-store.ts';
import { readDefinition } from '../../src/keys/read-definition.ts';
import { EDITOR } from '../support/admin-client.ts';

const read = readDefinition({ id: 'web', type: 'read-write', secret: 'hunter2' });
const WEB = (read as { readonly value: KeyDefinition }).value;
const CALL = { caller: { token: EDITOR, session: null }, address: '192.0.2.1' } as unknown as Call;
const REPLACE = { id: 'web', action: 'replace_key' } as const;

/** A later turn: whoever does not wait for what takes one is seen to be too early. */
const immediate = () => new Promise<void>((resolve) => setImmediate(resolve));

interface World {
  readonly stored?: KeyDefinition | null;
  readonly failure?: StoreFailure;
  readonly readOnly?: string;
  readonly source?: { readonly kind: 'file' | 'redis'; readonly up: boolean; readonly why: string | null };
  readonly reload?: KeyChangePorts['reload'];
}

/** Key changes over a store that holds one key or fails; `happened` tells what was done, in order. */
function changing({ stored = WEB, failure, readOnly, source, reload }: World = {}) {
  const happened: unknown[] = [];
  const history: unknown[] = [];
  const store: KeyStore = {
    kind: 'file',
    readOnly: () => readOnly ?? null,
    list: async () => (failure ? { ok: false, failure } : { ok: true, value: [] }),
    get: async () => (failure ? { ok: false, failure } : { ok: true, value: null }),
    async update<R>(id: string, decide: Decide<R>): Promise<Updated<R>> {
      if (failure) return { ok: false, failure };
      const change = decide(stored && { id, definition: stored });
      if ('refused' in change) return { ok: false, refused: change.refused };
      happened.push('written');
      return { ok: true, before: stored, after: change.next };
    },
    everything: async () =>
      failure ? { ok: false, failure } : { ok: true, value: { definitions: [], records: NO_RECORDS } },
    updateRecord: async () => ({ ok: false, failure: { kind: 'unavailable', why: 'Not here.' } }),
    close: () => undefined,
  };
  const { kind, up, why } = source ?? { kind: 'file', up: true, why: null };
  const changes = createKeyChanges({
    store: () => store,
    source: { kind, status: () => ({ up, why, lastSyncAt: null, invalidDefinitions: 0, loaded: true }) },
    reload: reload ?? (async () => void (await immediate(), happened.push('live'))),
    audit: ({ address }, action, change) => void happened.push({ address, action, ...change }),
    history: {
      begin: () => {
        history.push('begun');
        return () => void history.push('ended');
      },
      changed: async ({ address }, made) => void (await immediate(), history.push({ address, ...made })),
    },
  });
  const update = (change: Change<AdminProblem>) => changes.update(CALL, REPLACE, () => change);
  return { changes, store, update, happened, history };
}

t.test('a change is in the log, by the names of its fields, and live before anybody is told of it', async (t) => {
  const { update, happened } = changing();
  const next = { ...WEB, enabled: false, secrets: [] };
  t.same(await update({ next }), { ok: true, before: WEB, after: next });
  happened.push('told');
  const logged = { address: '192.0.2.1', action: 'replace_key', keyId: 'web', fields: ['enabled', 'secrets'] };
  t.same(happened, ['written', { ...logged, secretId: undefined }, 'live', 'told']);
});

t.test('the history is told of each change within it, with secrets as ids alone, and of nothing else', async (t) => {
  const { update, history } = changing();
  const next = { ...WEB, enabled: false };
  await update({ next });
  const target = { kind: 'key', name: 'web' };
  const [before, after] = [stateOfKey(WEB), stateOfKey(next)];
  t.same(history, ['begun', { address: '192.0.2.1', action: 'replace_key', target, before, after }, 'ended']);
  t.notMatch(JSON.stringify(history), /sha256:|hunter2/);
  const same = changing();
  await same.update({ next: structuredClone(WEB) });
  await same.update({ refused: problem('precondition_failed', 'It has changed.') });
  t.same(same.history, ['begun', 'ended', 'begun', 'ended']);
  const failing = changing({ failure: { kind: 'unavailable', why: 'It is away.' } });
  await failing.update({ next });
  t.same(failing.history, ['begun', 'ended']);
  const dead = changing({ reload: async () => Promise.reject(new Error('it broke')) });
  await t.rejects(dead.update({ next }), { message: 'it broke' });
  t.match(dead.history, ['begun', 'ended']);
});

t.test('a change that could not be made live is in the log all the same', async (t) => {
  const { update, happened } = changing({ reload: async () => Promise.reject(new Error('it broke')) });
  await t.rejects(update({ next: null }), { message: 'it broke' });
  t.match(happened, ['written', { action: 'replace_key', keyId: 'web' }]);
});

t.test('what changes nothing, or was refused, is neither logged nor made live', async (t) => {
  const { update, happened } = changing();
  const refused = problem('precondition_failed', 'It has changed.');
  t.equal(await update({ refused }), refused);
  t.match(await update({ next: structuredClone(WEB) }), { after: WEB });
  t.same(happened, ['written']);
});

t.test('a new key is logged with every field, a removed one with none, a secret by its id', async (t) => {
  const created = changing({ stored: null });
  await created.update({ next: WEB });
  t.match(created.happened, ['written', { fields: Object.keys(WEB) }, 'live']);
  t.notMatch(JSON.stringify(created.happened), /sha256:|hunter2/);
  const removed = changing();
  await removed.update({ next: null });
  t.match(removed.happened, ['written', { fields: [] }, 'live']);
  const lessened = changing();
  const attempt = { id: 'web', action: 'delete_secret', secretId: '0123456789ab' } as const;
  await lessened.changes.update(CALL, attempt, () => ({ next: { ...WEB, secrets: [] } }));
  t.match(lessened.happened[1], { action: 'delete_secret', fields: ['secrets'], secretId: '0123456789ab' });
});

t.test('where nothing can be written, nobody is asked what should be', async (t) => {
  const down = { kind: 'redis', up: false, why: 'Redis is empty' } as const;
  const closed = changing({ readOnly: 'the key file is read-only', source: down });
  const readOnly = problem('read_only', 'The keys cannot be changed here: the key file is read-only.');
  t.same(closed.changes.writable(), readOnly);
  t.same(await closed.update({ next: null }), readOnly, 'even when the source is down as well');
  const lost = changing({ source: down });
  t.equal(lost.changes.writable(), null);
  t.same(await lost.update({ next: null }), problem('source_unavailable', 'Redis is empty.'));
  const away = changing({ source: { ...down, why: null } });
  t.same(await away.update({ next: null }), problem('source_unavailable', 'Redis is away.'));
  t.same([...closed.happened, ...lost.happened], []);
  const broken = changing({ source: { kind: 'file', up: false, why: 'keys.yaml:1:1 error' } });
  t.match(await broken.update({ next: null }), { ok: true }, 'a file may be whole by now: its store decides');
});

t.test('each failure of the store is a problem of its own, whatever was asked', async (t) => {
  const findings = [{ path: ['type'], message: 'cannot be metrics' }];
  const failures: [StoreFailure, AdminProblem][] = [
    [{ kind: 'read_only', why: 'it is' }, problem('read_only', 'The keys cannot be changed here: it is.')],
    [{ kind: 'unavailable', why: 'It is away.' }, problem('source_unavailable', 'It is away.')],
    [{ kind: 'not_editable', why: 'It has anchors.' }, problem('not_editable', 'It has anchors.')],
    [{ kind: 'contradiction', findings }, invalid('invalid_definition', fieldFindings(findings))],
  ];
  for (const [failure, expected] of failures) {
    const { changes, update, happened } = changing({ failure });
    for (const answer of [await changes.list(), await changes.get('web'), await update({ next: null })])
      t.same(answer, expected, failure.kind);
    t.same(happened, []);
  }
});

t.test('whether what is stored can be known, and why not', async (t) => {
  const readable = (up: boolean, why: string | null) =>
    changing({ source: { kind: 'redis', up, why } }).changes.readable();
  t.same(
    [readable(true, null), readable(true, 'it was away'), readable(false, 'it is away'), readable(false, null)],
    [null, null, 'it is away', 'the source cannot be read'],
  );
  const failing = changing({ failure: { kind: 'unavailable', why: 'It is away.' } });
  t.same(await failing.changes.everything(), problem('source_unavailable', 'It is away.'));
  t.same(await changing().changes.everything(), { definitions: [], records: NO_RECORDS });
});

t.test('of everything, few readings are for all who ask at once', async (t) => {
  const { changes, store } = changing();
  let readings = 0;
  const { list, everything } = store;
  const counted =
    <T>(read: () => Promise<T>) =>
    (): Promise<T> => {
      readings += 1;
      return read();
    };
  Object.assign(store, { list: counted(list), everything: counted(everything) });
  for (const read of [changes.list, changes.everything]) {
    readings = 0;
    const answers = await Promise.all(Array.from({ length: 50 }, async () => read()));
    t.equal(new Set(answers).size, 1);
    t.equal(readings, 1);
  }
});
