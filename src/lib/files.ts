/**
 * Looks at files and reads them whole, whatever stands under their names: what cannot be looked at is said, and what would keep the
 * reader waiting is not read. Writes nothing, and knows no content.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync, type BigIntStats } from 'node:fs';
import { open, readFile } from 'node:fs/promises';

/**
 * What stands at a path, through any chain of links, or the code of why nobody can tell: `ENOENT` where there is nothing, but a folder
 * can also be closed (`EACCES`), a link lead to itself (`ELOOP`), a network file system be away (`ESTALE`).
 */
export function lookAt(file: string): BigIntStats | string {
  try {
    return statSync(file, { bigint: true });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

/** In bytes; 0: there is none, or nobody can tell. */
export function sizeOf(file: string): number {
  const found = lookAt(file);
  return typeof found === 'string' ? 0 : Number(found.size);
}

/** An open descriptor (`/dev/fd/63` of a shell's `<(...)`) or a device: whoever names one has its other end. */
const OPEN_ALREADY = /^\/(?:dev|proc)\//;

/**
 * The content of a file. A pipe that has to be opened first is none: reading it would wait for a writer, perhaps for ever, and
 * everything else with it.
 *
 * @throws Error of the file system, or with the code `ENOTREG`.
 */
export function readWhole(file: string): Buffer {
  if (OPEN_ALREADY.test(file)) return readFileSync(file);
  const descriptor = openSync(file, AT_ONCE);
  try {
    if (fstatSync(descriptor).isFIFO()) throw pipe(file);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The same beside everything else. A pipe would keep one of the few threads that read files. */
export async function readWholeLater(file: string): Promise<Buffer> {
  if (OPEN_ALREADY.test(file)) return readFile(file);
  const handle = await open(file, AT_ONCE);
  try {
    if ((await handle.stat()).isFIFO()) throw pipe(file);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

const AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK;

const pipe = (file: string): Error => Object.assign(new Error(`${file} is a pipe`), { code: 'ENOTREG' });
