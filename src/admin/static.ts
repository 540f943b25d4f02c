/**
 * The files of the console, read into memory once, so that no part of a request ever becomes the name of a file. Knows no page.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256Hex } from '../lib/digest.ts';

export interface StaticFile {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
  readonly cacheControl: string;
}

/** By path, such as `/assets/index-4f2a.js`; `/` is the page itself. Empty when the console was not built. */
export type StaticFiles = ReadonlyMap<string, StaticFile>;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};

/** The names of what the build puts there change with their content. */
const HASHED = '/assets/';

/** Where the build puts the console, seen from the bundle in dist/ and from the compiled sources in .build/src/admin/. `here`: a URL. */
export function consoleFolder(here = import.meta.url): string | null {
  const places = ['./console/', '../../../dist/console/'].map((place) => fileURLToPath(new URL(place, here)));
  return places.find((place) => statSync(join(place, 'index.html'), { throwIfNoEntry: false })?.isFile()) ?? null;
}

/** Every file below the folder that a browser may ask for. */
export function readStaticFiles(folder: string | null): StaticFiles {
  const files = new Map<string, StaticFile>();
  if (folder === null) return files;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined || entry.name.startsWith('.')) continue;
    const file = join(entry.parentPath, entry.name);
    const path = `/${relative(folder, file).split(sep).join('/')}`;
    const body = readFileSync(file);
    const cacheControl = path.startsWith(HASHED) ? 'public, max-age=31536000, immutable' : 'no-cache';
    files.set(path === '/index.html' ? '/' : path, {
      body,
      type,
      etag: `"${sha256Hex(body).slice(0, 32)}"`,
      cacheControl,
    });
  }
  return files;
}
