import fs, {
  chmodSync,
  chownSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { takeDraft } from '../../src/lib/file-draft.ts';

const place = (t: Test): string => join(t.testdir({ 'keys.yaml': 'old' }), 'keys.yaml');

t.test('a draft becomes the file, with its mode', async (t) => {
  const file = place(t);
  chmodSync(file, 0o751);
  const draft = await takeDraft(file);
  await draft?.write(Buffer.from('new'));
  t.equal(readFileSync(file, 'utf8'), 'old');
  t.equal(statSync(join(file, '..', '.keys.yaml.postern-draft')).mode & 0o777, 0o600);
  draft?.takePlace();
  draft?.release();
  t.equal(readFileSync(file, 'utf8'), 'new');
  t.equal(statSync(file).mode & 0o777, 0o751);
  t.same(readdirSync(join(file, '..')), ['keys.yaml']);
});

t.test('the file keeps its owner', async (t) => {
  const file = place(t);
  const { uid, gid } = statSync(file);
  // Only root can give a file away.
  const owner = uid === 0 ? { uid: 1234, gid: 4321 } : { uid, gid };
  chownSync(file, owner.uid, owner.gid);
  const draft = await takeDraft(file);
  draft?.takePlace();
  const { uid: newUid, gid: newGid } = statSync(file);
  t.same({ uid: newUid, gid: newGid }, owner);
});

t.test('a draft that became the file is not mixed up with the next one', async (t) => {
  const file = place(t);
  const first = await takeDraft(file);
  await first?.write(Buffer.from('first'));
  first?.takePlace();
  const second = await takeDraft(file);
  first?.release();
  t.ok(existsSync(join(file, '..', '.keys.yaml.postern-draft')), 'that of the next one stays');
  await second?.write(Buffer.from('second'));
  second?.takePlace();
  t.equal(readFileSync(file, 'utf8'), 'second');
});

t.test('a draft that is given up leaves nothing behind', async (t) => {
  const file = place(t);
  const draft = await takeDraft(file);
  await draft?.write(Buffer.from('new'));
  draft?.release();
  t.same(readdirSync(join(file, '..')), ['keys.yaml']);
  t.equal(readFileSync(file, 'utf8'), 'old');
});

t.test('one writer waits for the other', async (t) => {
  const file = place(t);
  const first = await takeDraft(file);
  const second = takeDraft(file);
  await first?.write(Buffer.from('first'));
  first?.takePlace();
  first?.release();
  const draft = await second;
  t.equal(readFileSync(file, 'utf8'), 'first');
  draft?.release();
});

t.test('a draft that a dead process left is removed', async (t) => {
  const file = place(t);
  const left = join(file, '..', '.keys.yaml.postern-draft');
  writeFileSync(left, 'half');
  const tooOld = Date.now() / 1000 - 11;
  utimesSync(left, tooOld, tooOld);
  const draft = await takeDraft(file);
  t.ok(draft);
  draft?.release();
  t.notOk(existsSync(left));
});

t.test("one that another process removes first is in nobody's way", async (t) => {
  const file = place(t);
  const left = join(file, '..', '.keys.yaml.postern-draft');
  writeFileSync(left, 'half');
  utimesSync(left, 0, 0);
  const { statSync: realStat } = fs;
  const restore = (): void => {
    Object.assign(fs, { statSync: realStat });
    syncBuiltinESMExports();
  };
  t.teardown(restore);
  const removing = (...args: Parameters<typeof realStat>) => {
    const stats = realStat(...args);
    restore();
    rmSync(left);
    return stats;
  };
  Object.assign(fs, { statSync: removing });
  syncBuiltinESMExports();
  const draft = await takeDraft(file);
  t.ok(draft);
  draft?.release();
});

t.test('a living one is not, and whoever waits gives up', async (t) => {
  const file = place(t);
  const first = await takeDraft(file);
  t.equal(await takeDraft(file), null);
  t.ok(existsSync(join(file, '..', '.keys.yaml.postern-draft')));
  first?.release();
});

t.test('a folder that is not there is an error', async (t) => {
  await t.rejects(takeDraft('/nowhere/at/all'), { code: 'ENOENT' });
});

t.test('no descriptor is left open, whatever becomes of a draft', async (t) => {
  const file = place(t);
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  const placed = await takeDraft(file);
  placed?.takePlace();
  placed?.release();
  t.equal(open(), before);
  const other = await takeDraft(file);
  other?.release();
  other?.release();
  t.equal(open(), before);
});
