/**
 * One finding about what the operator wrote, and how it is printed. A message is one sentence that names the field and
 * what is wrong with it; it never shows a secret.
 */
import { escapeUnits } from '../lib/escape-units.ts';

/** Where in a file. Lines and columns count from 1, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Position {
  readonly file: string;
  /** An error keeps the file from being used; a warning does not. A note is nothing wrong. */
  readonly severity: 'error' | 'warning' | 'note';
  readonly message: string;
  /** The field as a dotted path, such as `apis.integration.upstream`; empty for the whole file. */
  readonly field: string;
}

/**
 * `FILE:LINE:COL severity message`, the form that editors and CI systems turn into links. One line, whatever the names of fields
 * hold: nothing in a file ends it or commands a terminal.
 */
export const formatProblem = (problem: Problem): string =>
  `${problem.file}:${problem.line}:${problem.column} ${problem.severity} ${problem.message}`.replace(
    UNPRINTABLE,
    escapeUnits,
  );

/** Control and format characters, and what ends lines. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** The errors among them, as they are printed. */
export const formatErrors = (problems: readonly Problem[]): string[] =>
  problems.filter(({ severity }) => severity === 'error').map(formatProblem);

export const hasErrors = (problems: readonly Problem[]): boolean =>
  problems.some((problem) => problem.severity === 'error');

/** The order in which a reader meets them: by file as first named, then from top to bottom. */
export function inReadingOrder(problems: readonly Problem[]): Problem[] {
  const files = [...new Set(problems.map((problem) => problem.file))];
  return problems.toSorted(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}

/** A path as an operator reads it: `keys[0].secrets[1].value`. A field whose name is empty is `""`. */
export const fieldName = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((name, step) => {
    if (typeof step === 'number') return `${name}[${step}]`;
    const field = String(step) || '""';
    return name === '' ? field : `${name}.${field}`;
  }, '');
