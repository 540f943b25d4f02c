import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { consoleFolder, readStaticFiles } from '../../src/admin/static.ts';

t.test('files are known by the path that a browser asks for', async (t) => {
  const folder = t.testdir({
    'index.html': '<!doctype html>',
    'icon.svg': '<svg/>',
    '.env': 'secret',
    'notes.map': '{}',
    assets: { 'index-1a2b.js': 'x()', 'index-1a2b.css': '' },
  });
  writeFileSync(join(folder, '..', 'outside.txt'), 'outside');
  symlinkSync(join(folder, '..', 'outside.txt'), join(folder, 'link.txt'));
  mkdirSync(join(folder, 'folder.js'));
  const files = readStaticFiles(folder);
  t.same([...files.keys()].toSorted(), ['/', '/assets/index-1a2b.css', '/assets/index-1a2b.js', '/icon.svg']);
  t.match(files.get('/'), { type: 'text/html; charset=utf-8', cacheControl: 'no-cache', etag: /^"[0-9a-f]{32}"$/ });
  t.match(files.get('/assets/index-1a2b.js')?.cacheControl, /immutable/);
});

t.test('without a build there are none', async (t) => {
  t.equal(readStaticFiles(null).size, 0);
  const folder = consoleFolder();
  t.ok(folder === null || folder.endsWith('/console/'));
});

t.test('the console is found beside the bundle, and from the compiled sources', async (t) => {
  const folder = t.testdir({ dist: { console: { 'index.html': '' } }, other: { console: { 'index.html': {} } } });
  const from = (path: string) => consoleFolder(pathToFileURL(join(folder, path)).href);
  const built = `${join(folder, 'dist', 'console')}/`;
  t.equal(from('dist/main.js'), built);
  t.equal(from('.build/src/admin/static.js'), built);
  t.equal(from('elsewhere/main.js'), null);
  t.equal(from('other/main.js'), null, 'its page is no file');
});

t.test('each kind of file has its type, and a hidden one is none', async (t) => {
  const types = {
    'a.html': 'text/html; charset=utf-8',
    'a.js': 'text/javascript; charset=utf-8',
    'a.css': 'text/css; charset=utf-8',
    'a.svg': 'image/svg+xml',
    'a.png': 'image/png',
    'a.ico': 'image/x-icon',
    'a.woff2': 'font/woff2',
    'a.json': 'application/json',
    'a.txt': 'text/plain; charset=utf-8',
  };
  const written = Object.fromEntries([...Object.keys(types), '.a.js', 'a.map'].map((name) => [name, 'x']));
  const files = readStaticFiles(t.testdir(written));
  t.same(Object.fromEntries([...files].map(([path, { type }]) => [path.slice(1), type])), types);
  t.equal(files.get('/a.js')?.cacheControl, 'no-cache', 'a name that stays while the content changes');
});
