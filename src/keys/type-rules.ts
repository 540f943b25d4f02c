/**
 * What a key may say depends on its type. Asked of fields as they were written, or as a policy yields them.
 */
import { isDeepStrictEqual } from 'node:util';
import { METRICS_API } from '../config/api-names.ts';
import type { Finding } from '../config/issue.ts';
import { FIELD_TYPES } from './definition.ts';
import type { KeyType } from './key-fields.ts';

const TYPES_OF_FIELDS = Object.entries(FIELD_TYPES);

/** What is wrong with these fields for this type; nothing, where the type is not known. */
export function typeFindings(type: KeyType | undefined, fields: Readonly<Record<string, unknown>>): Finding[] {
  if (type === undefined) return [];
  const given = (field: string): boolean => (fields[field] ?? null) !== null && !isSaidByAll(field, fields[field]);
  const findings: Finding[] = [];
  for (const [field, types] of TYPES_OF_FIELDS)
    if (given(field) && !types.includes(type))
      findings.push({ path: [field], message: `is only for ${joined(types)} keys; remove it`, atKey: true });
  if (type !== 'metrics') return findings;
  if (given('apis') && fields['apis'] !== 'all' && !isDeepStrictEqual(fields['apis'], [METRICS_API]))
    findings.push({ path: ['apis'], message: `must be [${METRICS_API}], or be left out: the key is a metrics key` });
  if (given('accessToken') && fields['accessToken'] !== 'required')
    findings.push({ path: ['accessToken'], message: 'must be required, or be left out: the key is a metrics key' });
  return findings;
}

/** Whoever writes every field of every key writes this one too. It takes nothing from a write-only key, which is for pages anyway. */
const isSaidByAll = (field: string, value: unknown): boolean => field === 'allowBrowsers' && value === false;

/** `a, b and c`. */
const joined = (names: readonly string[]): string =>
  [names.slice(0, -1).join(', '), ...names.slice(-1)].filter(Boolean).join(' and ');
