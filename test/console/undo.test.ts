import t from 'tap';
import type { HistoryChange } from '../../src/admin/console/api/types.ts';
import { partsOf } from '../../src/admin/console/keys/key-subject.ts';
import { offerUndo, takeUndo, undoOf, withBefore, type Undo } from '../../src/admin/console/state/undo.ts';

const changeOf = (part: Partial<HistoryChange>): HistoryChange => ({
  time: '2026-01-01T00:00:00.000Z',
  who: 'anna',
  address: null,
  action: 'replace_key',
  kind: 'key',
  target: 'web',
  fields: { mode: { before: 'enforce', after: 'report' } },
  ...part,
});

t.test('a change is undone with its fields as they were, but for what is not known or never comes back', async (t) => {
  t.same(undoOf(changeOf({}))?.before, { mode: 'enforce' });
  const secrets = { before: [], after: [] };
  const fields = {
    secrets,
    apiKey: { before: null, after: { id: 'x' } },
    type: { before: 'read-only', after: 'read-write' },
  };
  const undo = undoOf(changeOf({ fields }));
  t.same([undo?.before, undo?.left], [{ type: 'read-only' }, ['secrets', 'apiKey']]);
  t.equal(undoOf(changeOf({ action: 'rotate_secret', fields: { secrets } })), null);
  t.equal(undoOf(changeOf({ action: 'create_key' })), null, 'it can be deleted where it stands');
  const tooLong = { before: null, after: null, tooLong: true } as const;
  t.equal(undoOf(changeOf({ kind: 'list', fields: { entries: tooLong } })), null);
});

t.test('it is taken once, by the page that it is for', async (t) => {
  const offered = (part: Partial<HistoryChange>): Undo => {
    const undo = undoOf(changeOf(part)) as Undo;
    offerUndo(undo);
    return undo;
  };
  t.equal(takeUndo('key', 'web'), null);
  const undo = offered({});
  t.equal(takeUndo('key', 'web'), undo);
  t.equal(takeUndo('key', 'web'), null);
  offered({});
  t.equal(takeUndo('key', 'other'), null);
  t.equal(takeUndo('key', 'web'), null, 'whoever went elsewhere has given it up');
  offered({});
  t.equal(takeUndo('policy', 'web'), null);
  offered({});
  t.equal(takeUndo('key', null), null);
  const gone = offered({ action: 'delete_key' });
  t.equal(takeUndo('key', null), gone, 'what was deleted is made anew');
  offered({ action: 'delete_key' });
  t.equal(takeUndo('key', 'web'), null);
});

t.test('what was not said then is not said now', async (t) => {
  const policy: { mode?: string; description: string; rateLimit: null } = {
    mode: 'report',
    description: 'a',
    rateLimit: null,
  };
  t.strictSame(withBefore(policy, { mode: null, description: 'b' }), { description: 'b', rateLimit: null });
  t.strictSame(withBefore(policy, {}), policy);
});

t.test('a key as it was, in the parts of its form', async (t) => {
  t.strictSame(
    partsOf({ type: 'read-only', allowFrom: [{ address: '::1', description: '' }], mode: null, secrets: [], x: 1 }),
    {
      anywhere: false,
      locations: [{ address: '::1', description: '' }],
      mode: 'enforce',
      type: 'read-only',
    },
  );
  t.strictSame(partsOf({ allowFrom: 'anywhere' }), { anywhere: true, locations: [] });
});
