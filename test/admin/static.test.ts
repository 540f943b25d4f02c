import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
