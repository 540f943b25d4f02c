/**
 * What the build of the console puts into dist/console: small, and nothing in it that a strict Content-Security-Policy holds
 * back.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';

const FOLDER = 'dist/console';
const MAX_COMPRESSED_BYTES = 150_000;

const files = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));
const page = readFileSync(join(FOLDER, 'index.html'), 'utf8');

void t.test('is under 150 kB compressed in all', async (t) => {
  const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
  t.ok(bytes > 10_000 && bytes < MAX_COMPRESSED_BYTES, `${bytes} bytes`);
});

void t.test('has no inline script or style, and nothing from elsewhere', async (t) => {
  t.same([...page.matchAll(/<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=/g)], []);
  const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
  t.ok(addresses.length >= 3);
  for (const address of addresses) t.match(address, /^\.\/assets\/[\w-]+-[\w-]{8}\.(?:js|css|svg)$/);
});

void t.test('names each file by its content, so that it can be cached for good', async (t) => {
  for (const file of files.filter((name) => !name.endsWith('index.html')))
    t.match(file, /^dist\/console\/assets\/[\w-]+-[\w-]{8}\.\w+$/);
});
