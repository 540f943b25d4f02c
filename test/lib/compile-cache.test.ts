/** Compiled code is run as it is: only from a folder that nobody else can write. */
import { chmodSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { useCompileCache } from '../../src/lib/compile-cache.ts';

function folderOf(t: Test): string {
  const folder = join(t.testdir(), 'compile-cache');
  const inner = join(folder, 'v24.0.0-x64-0');
  for (const path of [folder, inner]) {
    mkdirSync(path);
    // Whatever the umask of the test is.
    chmodSync(path, 0o755);
  }
  writeFileSync(join(inner, 'code'), 'compiled', { mode: 0o600 });
  return folder;
}

function usedFor(folder: string, owner = lstatSync(folder, { throwIfNoEntry: false })?.uid ?? 0): readonly string[] {
  const used: string[] = [];
  const isUsed = useCompileCache(folder, (path) => used.push(path), owner);
  t.equal(isUsed, used.length === 1);
  return used;
}

t.test('a folder of the own user is used, as a whole', async (t) => {
  const folder = folderOf(t);
  t.same(usedFor(folder), [folder]);
});

t.test('one that another user may write, anywhere in it, is not', async (t) => {
  for (const path of ['.', 'v24.0.0-x64-0', 'v24.0.0-x64-0/code'])
    for (const more of [0o020, 0o002]) {
      const folder = folderOf(t);
      const place = join(folder, path);
      chmodSync(place, (lstatSync(place).mode & 0o777) | more);
      t.same(usedFor(folder), [], `${path} ${more.toString(8)}`);
    }
});

t.test('one that another user owns is not, unless that is root', async (t) => {
  const folder = folderOf(t);
  const { uid } = lstatSync(folder);
  t.same(usedFor(folder, uid + 1), uid === 0 ? [folder] : []);
});

t.test('no link is followed, to the folder or from it', async (t) => {
  const folder = folderOf(t);
  const link = join(t.testdirName, 'link');
  symlinkSync(folder, link);
  t.same(usedFor(link), []);
  symlinkSync('code', join(folder, 'v24.0.0-x64-0', 'other'));
  t.same(usedFor(folder), []);
});

t.test('where there is none, or no Node that has such a cache, or no users, nothing happens', async (t) => {
  const folder = folderOf(t);
  t.same(usedFor(join(folder, 'none')), []);
  t.same(usedFor(join(folder, 'v24.0.0-x64-0', 'code')), [], 'a file');
  t.equal(useCompileCache(folder, null), false);
  const enable = () => t.fail('it must not be used');
  // A system without users.
  const geteuid = Object.getOwnPropertyDescriptor(process, 'geteuid') as PropertyDescriptor;
  Object.defineProperty(process, 'geteuid', { value: undefined, configurable: true });
  t.teardown(() => Object.defineProperty(process, 'geteuid', geteuid));
  t.equal(useCompileCache(folder, enable), false);
});
