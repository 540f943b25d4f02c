/**
 * Turns what the validator found into findings of the file: one clear sentence each, at the line where the mistake stands.
 * A value that may be a secret is never shown.
 */
import type { z } from 'zod';
import { withoutAllBeforeHost } from '../lib/redact-urls.ts';
import type { YamlFile } from './document.ts';
import { fieldsAt, mayShowSecretAt, type JsonSchema } from './json-schema.ts';
import { nearestName } from './nearest.ts';
import { fieldName, type Problem } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** A mistake at one place: a sentence without its subject and its final stop. */
export interface Finding {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** The mistake is the name of the field rather than its value. */
  readonly atKey?: boolean;
}

/** What is wrong with the value, one finding for each mistake. `schema` is that of the value; paths start at the value. */
export function findingsOf(issues: readonly Issue[], value: unknown, schema: JsonSchema): Finding[] {
  const findings = issues.flatMap(flatten).flatMap((issue) => findingsOfIssue(issue, value, schema));
  const seen = new Set<string>();
  return findings.filter(({ path, message }) => {
    const text = `${fieldName(path)} ${message}`;
    return seen.has(text) ? false : seen.add(text);
  });
}

/** The findings as problems of a file; `base` is where in the file the value stands. */
export function problemsOf(
  findings: readonly Finding[],
  file: YamlFile,
  base: readonly PropertyKey[] = [],
  severity: Problem['severity'] = 'error',
): Problem[] {
  return findings.flatMap(({ path, message, atKey }) => {
    const full = [...base, ...path];
    const field = fieldName(full);
    if (file.unresolved.has(field)) return [];
    const at = file.locate(full, atKey ? 'key' : 'value');
    return {
      file: file.file,
      ...at,
      severity,
      message: `${field || 'The file'} ${message}${message.endsWith('?') ? '' : '.'}`,
      field,
    };
  });
}

/**
 * Of the alternatives of a union, the one that the value was meant to be is the one it went furthest into.
 * None is, when the value has the wrong type for all.
 */
function flatten(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.find((branch) => branch.every(({ code, path }) => path.length > 0 || MEANT.has(code)));
  if (meant === undefined) return [issue];
  return meant.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(flatten);
}

/** Mistakes that are made only in a value of the right type. */
const MEANT: ReadonlySet<string> = new Set(['unrecognized_keys', 'too_small', 'too_big', 'invalid_format', 'custom']);

function findingsOfIssue(issue: Issue, value: unknown, schema: JsonSchema): Finding[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') return unknownFields(issue.keys, path, fieldsAt(schema, path));
  if (issue.code === 'invalid_key')
    return [{ path, message: issue.issues[0]?.message ?? 'is no name that may stand here', atKey: true }];
  const here = valueAt(value, path);
  const wanted = requirement(issue);
  if (here === undefined && issue.code !== 'custom') return [{ path, message: `is missing: it ${wanted}` }];
  const hides = (typeof here === 'string' || typeof here === 'number') && mayShowSecretAt(schema, path);
  const shown = hides || !wanted.startsWith('must be ') ? null : display(here);
  const meant =
    issue.code === 'invalid_value' && typeof here === 'string' ? nearestName(here, issue.values.map(String)) : null;
  const question = meant === null ? '' : `; did you mean ${JSON.stringify(meant)}?`;
  return [{ path, message: shown === null ? wanted : `${wanted}; it is ${shown}${question}` }];
}

/** Each costs a search for what was meant: of thousands, whoever sent them learns no more than of a few. */
const MOST_UNKNOWN = 20;

function unknownFields(keys: readonly string[], path: readonly PropertyKey[], known: readonly string[]): Finding[] {
  const findings: Finding[] = keys
    .slice(0, MOST_UNKNOWN)
    .map((key) => ({ path: [...path, key], message: unknownField(key, known), atKey: true }));
  const more = keys.length - MOST_UNKNOWN;
  return more > 0 ? [...findings, { path, message: `holds ${more} more fields that are not known` }] : findings;
}

function unknownField(key: string, known: readonly string[]): string {
  const nearest = nearestName(key, known);
  if (nearest !== null) return `is not a known field; did you mean ${JSON.stringify(nearest)}?`;
  return `is not a known field; known here: ${known.join(', ')}`;
}

/** What the field must be. Messages of the schemas are such sentences; the validator's own are replaced. */
function requirement(issue: Issue): string {
  if (issue.code === 'invalid_value') {
    const names = issue.values.map((name) => JSON.stringify(name));
    return names.length === 1 ? `must be ${names[0]}` : `must be one of ${names.join(', ')}`;
  }
  if (issue.code !== 'invalid_type' || !issue.message.startsWith('Invalid')) return issue.message;
  if (issue.expected === 'object') return 'must be a mapping with fields';
  return issue.expected === 'array' ? 'must be a list' : `must be a ${issue.expected}`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, step) => (at === null || at === undefined ? undefined : (at as Record<PropertyKey, unknown>)[step]),
    value,
  );
}

const LONGEST_SHOWN = 64;

/** A scalar as it can be shown: bounded, on one line, and without the credentials that a URL may hold. */
function display(value: unknown): string | null {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'a mapping';
  if (typeof value !== 'string') return String(value);
  const harmless = withoutAllBeforeHost(value);
  return JSON.stringify(harmless.length > LONGEST_SHOWN ? `${harmless.slice(0, LONGEST_SHOWN)}...` : harmless);
}
