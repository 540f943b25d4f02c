/**
 * Reads an OpenAPI document and the local files that it refers to, each once, and follows references (RFC 6901 pointers) with the
 * place of what they lead to. Nothing is fetched from a network, and sizes are bounded. It knows no operation.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { readYamlText } from './document.ts';
import type { Position, Problem } from './problem.ts';

/** A value with its place. */
export interface Place {
  readonly document: OpenDocument;
  readonly path: readonly PropertyKey[];
  readonly value: unknown;
}

export interface OpenDocument {
  readonly file: string;
  readonly value: unknown;
  readonly locate: (path: readonly PropertyKey[], what?: 'key' | 'value') => Position;
}

export interface OpenDocuments {
  /** null when the document cannot be used: why is in `unusable` or, where lines of the file are wrong, in `problems`. */
  readonly root: Place | null;
  readonly unusable: string | null;
  readonly problems: readonly Problem[];
  /** Every file that was read, or that somebody looked for. */
  readonly files: () => readonly string[];
  /** Where a value leads, if it is a reference, through any number of them; or why it leads nowhere. */
  readonly follow: (place: Place) => Place | Astray;
}

/** Why a reference leads nowhere. */
export interface Astray {
  readonly why: string;
  /** It should lead somewhere: it is no reference to elsewhere, which nobody follows. */
  readonly isBroken: boolean;
}

/** Of one file, and of all that belong to one document. */
const MAX_BYTES = 16_777_216;
const MAX_FILES = 100;
/** References that lead to references. */
const MAX_HOPS = 16;

/** Opens a document. What is wrong with it is in `problems`; nothing is thrown for a user's mistake. */
export function openDocuments(rootFile: string): OpenDocuments {
  const known = new Map<string, OpenDocument | Failure>();
  let bytes = 0;
  const open = (file: string): OpenDocument | Failure => {
    let found = known.get(file);
    if (found !== undefined) return found;
    if (known.size >= MAX_FILES) return failure(`it refers to more than ${MAX_FILES} files`);
    const text = boundedText(file, MAX_BYTES - bytes);
    bytes += typeof text === 'string' ? text.length : 0;
    found = typeof text === 'string' ? parse(text, file) : text;
    known.set(file, found);
    return found;
  };
  const step = ({ document }: Place, reference: string): Place | Astray => {
    const target = splitReference(reference);
    if (target === null) return ELSEWHERE;
    const file = target.file === '' ? document.file : join(dirname(document.file), target.file);
    const holder = target.file === '' ? document : open(file);
    if ('why' in holder) return broken(`leads to ${JSON.stringify(target.file)}, which cannot be used: ${holder.why}`);
    const found = at(holder, target.pointer);
    return found ?? broken(`leads to ${JSON.stringify(reference)}, where nothing is`);
  };
  const follow: OpenDocuments['follow'] = (place) => {
    let here = place;
    for (let hops = 0; hops <= MAX_HOPS; hops++) {
      const reference = referenceIn(here.value);
      if (reference === null) return here;
      const next = step(here, reference);
      if ('why' in next) return next;
      here = next;
    }
    return broken(`leads through more than ${MAX_HOPS} references, perhaps back to itself`);
  };
  const root = open(rootFile);
  return {
    root: 'why' in root ? null : { document: root, path: [], value: root.value },
    unusable: 'why' in root && root.problems.length === 0 ? root.why : null,
    problems: 'why' in root ? root.problems : [],
    files: () => [...known.keys()],
    follow,
  };
}

const ELSEWHERE: Astray = {
  why: 'is no reference to a place in a local file; nothing is read from a network',
  isBroken: false,
};

const broken = (why: string): Astray => ({ why, isBroken: true });

interface Failure {
  readonly why: string;
  /** At lines of the file, if it could be read. */
  readonly problems: readonly Problem[];
}

const failure = (why: string): Failure => ({ why, problems: [] });

/** The text of a regular file. A pipe or device is none, however its name looks: reading it would not end. */
function boundedText(file: string, maxBytes: number): string | Failure {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return failure('it is no regular file');
    if (stats.size > maxBytes) return failure(`it is larger than ${maxBytes} bytes, or all files together are`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(descriptor));
  } catch (error) {
    if (error instanceof TypeError) return failure('it is not UTF-8 text');
    const { code } = error as NodeJS.ErrnoException;
    return failure(code === 'ENOENT' ? 'it does not exist' : `it cannot be read (${code ?? 'the reason is unknown'})`);
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

/** JSON is read as such, which is many times faster; where its parts stand is found out when somebody asks. */
function parse(text: string, file: string): OpenDocument | Failure {
  const value = jsonValue(text);
  if (value !== undefined) {
    let yaml: ReturnType<typeof readAsYaml> | null = null;
    return { file, value, locate: (path, what) => (yaml ??= readAsYaml(text, file)).locate(path, what) };
  }
  const { content, problems, locate } = readAsYaml(text, file);
  if (content === null) return { why: 'it is not well-formed', problems };
  return { file, value: content.value, locate };
}

const readAsYaml = (text: string, file: string): ReturnType<typeof readYamlText> =>
  readYamlText(text, { file, env: null, schema: {} });

function jsonValue(text: string): unknown {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function referenceIn(value: unknown): string | null {
  if (!isMapping(value) || !Object.hasOwn(value, '$ref')) return null;
  return String(value['$ref']);
}

/** A relative file name, or none for the same file, and the steps of a pointer. null: something else. */
function splitReference(reference: string): { file: string; pointer: readonly string[] } | null {
  const [written = '', fragment = '', ...more] = reference.split('#');
  if (more.length > 0 || /^[a-z][a-z0-9+.-]*:/i.test(written) || /[?\\]/.test(written)) return null;
  if (fragment !== '' && !fragment.startsWith('/')) return null;
  try {
    const file = decodeURIComponent(written);
    if (isAbsolute(file) || file.includes('\0')) return null;
    const steps = fragment === '' ? [] : decodeURIComponent(fragment).split('/').slice(1);
    return { file, pointer: steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')) };
  } catch {
    return null;
  }
}

function at(document: OpenDocument, pointer: readonly string[]): Place | null {
  let value = document.value;
  const path: PropertyKey[] = [];
  for (const step of pointer) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return null;
    path.push(Array.isArray(value) ? Number(step) : step);
    value = (value as Record<string, unknown>)[step];
  }
  return { document, path, value };
}

export const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
