/**
 * Reads one YAML file (YAML 1.2 core, or 1.1 where the file says so) into a plain value and remembers where each field stands. References are replaced
 * after parsing, so that what they yield can never change the structure. Knows no field of any file.
 */
import { dirname, isAbsolute, join } from 'node:path';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { readWhole } from '../lib/files.ts';
import { socketPathOf } from '../lib/unix-socket.ts';
import type { JsonSchema } from './json-schema.ts';
import { fieldName, type Position, type Problem } from './problem.ts';
import { replaceReferences } from './references.ts';
import type { References } from './substitution.ts';
import { syntaxMessage, UNKNOWN_ALIAS, worthShowing } from './syntax-message.ts';
import { findNode, toPlain, unknownAliases, YAML_OPTIONS } from './yaml-nodes.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ReadOptions {
  /** As it is to be named in messages. */
  readonly file: string;
  /** null: the file is not Postern's own, and `${}` in it stands for itself. */
  readonly env: Environment | null;
  /** Of the file: tells where a reference may become a number, a boolean or null. */
  readonly schema: JsonSchema;
}

export interface YamlFile {
  readonly file: string;
  /** null when the file cannot be read or is not one well-formed document. */
  readonly content: { readonly value: unknown } | null;
  readonly problems: readonly Problem[];
  /** Names of fields whose references could not be resolved: what else is wrong with their text says nothing. */
  readonly unresolved: ReadonlySet<string>;
  /** This file and every file that a reference read. */
  readonly files: readonly string[];
  /** Where the value at the path stands, or its nearest parent; with `key`, where the name of the field stands. */
  readonly locate: (path: readonly PropertyKey[], what?: 'key' | 'value') => Position;
  /** Whether the text at the path stands in the file itself, rather than in the environment or in another file. */
  readonly isWrittenHere: (path: readonly PropertyKey[]) => boolean;
}

/** A path as it is meant by the file that names it. */
export const resolveFrom = (file: string, path: string): string =>
  isAbsolute(path) ? path : join(dirname(file), path);

/** The same for an `upstream`, which may be the path of a Unix socket. */
export function resolveUpstream(file: string, upstream: string): string {
  const socket = socketPathOf(upstream);
  return socket === null ? upstream : `unix:${resolveFrom(file, socket)}`;
}

/** Reads a file. What is wrong with it is in `problems`; nothing is thrown for a user's mistake. */
export function readYamlFile(options: ReadOptions): YamlFile {
  const text = readText(options.file);
  if (typeof text === 'string') return readYamlText(text, options);
  return unreadable(options.file, text);
}

/** A file of which nothing is known but why. */
export const unreadable = (file: string, { why }: { readonly why: string }): YamlFile =>
  withoutContent(file, [wholeFile(file, `The file cannot be read: ${why}.`)]);

/** The same for text that is already in memory. */
export function readYamlText(text: string, options: ReadOptions): YamlFile {
  const { file } = options;
  const lines = new LineCounter();
  const document = parseDocument(text, { ...YAML_OPTIONS, lineCounter: lines, prettyErrors: false });
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const mistakes = worthShowing([...document.errors, ...document.warnings]);
  if (mistakes.length > 0)
    return withoutContent(
      file,
      mistakes.map((mistake) => errorAt(file, positionOf(mistake.pos[0]), '', syntaxMessage(mistake, text))),
    );
  if (document.contents === null) return withoutContent(file, [wholeFile(file, 'The file is empty.')]);

  const astray = unknownAliases(document);
  if (astray.length > 0)
    return withoutContent(
      file,
      astray.map((offset) => errorAt(file, positionOf(offset), '', UNKNOWN_ALIAS)),
    );

  const { env } = options;
  const files = new Set<string>([file]);
  const external = new Set<unknown>();
  const references = env === null || !MAY_REFER.test(text) ? null : referencesOf(file, env, files);
  const unresolved =
    references === null ? [] : replaceReferences({ document, schema: options.schema, references, external });
  const plain = toPlain(document);
  if (plain === null) return withoutContent(file, [wholeFile(file, 'The file repeats its anchors too often.')]);
  const locate = (path: readonly PropertyKey[], what: 'key' | 'value' = 'value'): Position => {
    const node = findNode(document, path, what);
    if (!isNode(node) || !node.range) return START;
    const isNothing = what === 'value' && node.range[0] === node.range[1];
    return isNothing ? locate(path, 'key') : positionOf(node.range[0]);
  };
  return {
    file,
    content: plain,
    problems: unresolved.map(({ path, failure }) =>
      errorAt(file, locate(path), fieldName(path), `${fieldName(path)} ${failure}.`),
    ),
    unresolved: new Set(unresolved.map(({ path }) => fieldName(path))),
    files: [...files],
    locate,
    isWrittenHere: (path) => !external.has(findNode(document, path, 'value')),
  };
}

/** An escape can make a reference, too. */
const MAY_REFER = /\$\{|\\/;

const START: Position = { line: 1, column: 1 };

const errorAt = (file: string, at: Position, field: string, message: string): Problem => ({
  file,
  ...at,
  severity: 'error',
  message,
  field,
});

const wholeFile = (file: string, message: string): Problem => errorAt(file, START, '', message);

const withoutContent = (file: string, problems: readonly Problem[]): YamlFile => ({
  file,
  content: null,
  problems,
  unresolved: new Set(),
  files: [file],
  locate: () => START,
  isWrittenHere: () => true,
});

/** `files` gets every file that a reference read or tried to read: when it appears, the answer changes. */
function referencesOf(file: string, env: Environment, files: Set<string>): References {
  const readFile = (path: string): string | null => {
    const resolved = resolveFrom(file, path);
    files.add(resolved);
    const content = readText(resolved);
    return typeof content === 'string' ? content : null;
  };
  return { env, readFile };
}

/** The text of a file in UTF-8, or why there is none. */
export function readText(file: string): string | { why: string } {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readWhole(file));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return { why: 'it does not exist' };
    if (code === 'EACCES' || code === 'EPERM') return { why: 'permission is denied' };
    if (code === 'EISDIR') return { why: 'it is a directory' };
    if (code === 'ENOTREG') return { why: 'it is a pipe, whose writer would be waited for' };
    return { why: error instanceof TypeError ? 'it is not UTF-8 text' : (code ?? 'the reason is unknown') };
  }
}
