/**
 * Policies and address lists as the admin API shows and takes them. What comes in is judged by the rules of key files.
 */
import { isDeepStrictEqual } from 'node:util';
import { recordName } from '../config/address-entries.ts';
import type { Finding } from '../config/issue.ts';
import type { Config } from '../config/schema.ts';
import type { ListStatus } from '../keys/address-lists.ts';
import type { PolicyDefinition } from '../keys/definition.ts';
import { readListDefinition, type AddressListDefinition } from '../keys/list-definition.ts';
import { readPolicy, type Read } from '../keys/read-definition.ts';
import type { RecordUsers } from '../keys/record-kind.ts';
import type { AddressSet } from '../lib/cidr.ts';
import { isoTime } from '../observability/iso-time.ts';

export interface ShownUsers extends RecordUsers {
  readonly configuration: readonly string[];
  readonly total: number;
}

/** More names tell nobody more. */
const MOST_USERS = 1000;
/** Of a list from a file or URL. */
const MOST_ENTRIES = 1000;

export const showUsers = ({ keys, policies }: RecordUsers, configuration: readonly string[]): ShownUsers => ({
  keys: keys.slice(0, MOST_USERS),
  policies,
  configuration,
  total: keys.length + policies.length + configuration.length,
});

/** The fields of the configuration that name an address list. */
export function listUsersIn({ listen, apis }: Config, list: string): string[] {
  const names = (entries: 'anywhere' | readonly (string | object)[]): boolean =>
    entries !== 'anywhere' &&
    entries.some((entry) => typeof entry === 'object' && 'list' in entry && entry.list === list);
  return [
    ...(names(listen.denyFrom) ? ['listen.denyFrom'] : []),
    ...Object.entries(apis).flatMap(([name, { allowFrom, denyFrom }]) => [
      ...(names(allowFrom) ? [`apis.${name}.allowFrom`] : []),
      ...(names(denyFrom) ? [`apis.${name}.denyFrom`] : []),
    ]),
  ];
}

export const showPolicy = (name: string, policy: PolicyDefinition, usedBy: ShownUsers): object => ({
  name,
  ...policy,
  usedBy,
});

/** A policy that was sent to be stored under this name. */
export function readPolicyBody(body: unknown, name: string): Read<PolicyDefinition> {
  if (!isObject(body)) return withFindings(readPolicy(body), nameFindings(name, undefined));
  const { name: sent, usedBy: _usedBy, ...fields } = body;
  return withFindings(readPolicy(fields), nameFindings(name, sent));
}

/** How a list stands in this process. */
export interface ListReading {
  readonly status: ListStatus | undefined;
  readonly set: AddressSet | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function showList(
  name: string,
  definition: AddressListDefinition,
  usedBy: ShownUsers,
  { status, set, now }: ListReading,
): object {
  const at = status?.lastSuccessAt ?? null;
  return {
    name,
    // All that it says, its defaults too.
    ...definition,
    entries: definition.kind === 'literal' ? definition.entries : entriesIn(set),
    total: definition.kind === 'literal' ? definition.entries.length : (status?.entries ?? 0),
    up: status?.up ?? false,
    why: withoutQuotation(status?.why ?? null),
    lastSuccessAt: at === null ? null : isoTime(at),
    ageSeconds: at === null ? null : Math.max(0, Math.round((now - at) / 1000)),
    usedBy,
  };
}

const entriesIn = (set: AddressSet | undefined): { readonly address: string; readonly description: string }[] =>
  (set?.networks(MOST_ENTRIES) ?? []).map((address) => ({ address, description: '' }));

/** Whoever may name a file must not be told what stands in it: it need not be a list. The log says it. */
const withoutQuotation = (why: string | null): string | null =>
  why?.replace(/^(line \d+ is no address).*/s, '$1') ?? null;

/** A list that was sent to be stored under this name. `set`: what it holds now, as it is shown. */
export function readListBody(body: unknown, name: string, set: AddressSet | undefined): Read<AddressListDefinition> {
  if (!isObject(body)) return withFindings(readListDefinition(body), nameFindings(name, undefined));
  const { name: sent, entries, ...others } = body;
  const definition = Object.fromEntries(Object.entries(others).filter(([field]) => !SHOWN_ONLY.has(field)));
  if (entries !== undefined && Object.keys(definition).length === 0)
    return withFindings(entryFindings(readListDefinition(entries)), nameFindings(name, sent));
  const unchanged = entries === undefined || isDeepStrictEqual(entries, entriesIn(set));
  const findings: Finding[] = unchanged
    ? []
    : [{ path: ['entries'], message: 'cannot be changed here: they are read from elsewhere' }];
  return withFindings(readListDefinition(definition), [...nameFindings(name, sent), ...findings]);
}

/** What `AddressList` shows and no definition says. */
const SHOWN_ONLY: ReadonlySet<string> = new Set([
  'kind',
  'usedBy',
  'total',
  'up',
  'why',
  'lastSuccessAt',
  'ageSeconds',
]);

const entryFindings = (read: Read<AddressListDefinition>): Read<AddressListDefinition> =>
  read.ok
    ? read
    : { ok: false, findings: read.findings.map((finding) => ({ ...finding, path: ['entries', ...finding.path] })) };

function nameFindings(name: string, sent: unknown): Finding[] {
  const parsed = recordName.safeParse(name);
  if (!parsed.success) return [{ path: ['name'], message: parsed.error.issues[0]?.message ?? 'cannot be used' }];
  return sent === undefined || sent === name
    ? []
    : [{ path: ['name'], message: `cannot be changed: it is ${JSON.stringify(name)}` }];
}

const withFindings = <T>(read: Read<T>, findings: readonly Finding[]): Read<T> =>
  findings.length === 0 ? read : { ok: false, findings: [...findings, ...(read.ok ? [] : read.findings)] };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
