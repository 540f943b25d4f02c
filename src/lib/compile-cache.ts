/**
 * Has Node take compiled code from a folder, where it can (Node 22 and later): a start then compiles nothing. What lies there is run as
 * it is, so it is used only if nobody else may change it. A folder that is missing, stale or damaged costs time alone.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

type Enable = (folder: string) => unknown;

/** Newer than the types; null in Node 20. */
const enableCompileCache = (): Enable | null =>
  (process.getBuiltinModule('node:module') as { enableCompileCache?: Enable }).enableCompileCache ?? null;

/** Whether the folder is used from here on. `owner`: the user whose files are trusted, besides root's. */
export function useCompileCache(
  folder: string,
  enable: Enable | null = enableCompileCache(),
  owner: number | undefined = process.geteuid?.(),
): boolean {
  if (enable === null || owner === undefined || !isSafe(folder, owner)) return false;
  enable(folder);
  return true;
}

const WRITABLE_BY_OTHERS = 0o022;

/** Of the folder and all in it: no other user may write it, and no link leads elsewhere. */
function isSafe(folder: string, owner: number): boolean {
  try {
    if (!lstatSync(folder).isDirectory()) return false;
    const inside = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
    return [folder, ...inside].every((path) => {
      const stat = lstatSync(path);
      const isOwn = stat.uid === 0 || stat.uid === owner;
      return isOwn && (stat.mode & WRITABLE_BY_OTHERS) === 0 && (stat.isFile() || stat.isDirectory());
    });
  } catch {
    return false;
  }
}
