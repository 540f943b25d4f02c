/**
 * What holds for a key in all: its own fields, where it says nothing those of its policy, and then the defaults. Tells why a key
 * cannot be used with what it names.
 */
import { METRICS_API } from '../config/api-names.ts';
import type { Finding } from '../config/issue.ts';
import { nearestName } from '../config/nearest.ts';
import {
  defaultsOf,
  type AddressItem,
  type KeyDefinition,
  type Loaded,
  type PolicyDefinition,
  type SharedRecords,
  type WholeDefinition,
} from './definition.ts';
import { MISSING_TYPE, NEEDS_API_KEY, type Read } from './read-definition.ts';
import { typeFindings } from './type-rules.ts';

/** The whole of a key, or why it cannot be used beside these policies and lists. */
export function wholeDefinition(key: KeyDefinition, records: SharedRecords): Read<WholeDefinition> {
  const unknown = unknownLists(key, records.lists);
  if (key.policy === null) return unknown.length === 0 ? { ok: true, value: key } : { ok: false, findings: unknown };
  const policy = usable(records.policies, key.policy, 'policy');
  if ('message' in policy) return { ok: false, findings: [{ path: ['policy'], message: policy.message }, ...unknown] };
  const findings = [...unknown, ...policyFindings(key, policy.definition, records)];
  if (findings.length > 0) return { ok: false, findings };
  const { definition } = policy;
  const type = key.type ?? definition.type ?? 'write-only';
  return { ok: true, value: { ...defaultsOf(type), ...definition, ...key, type } };
}

/** What is wrong with a key and its policy together. `key.policy` is told of mistakes that the policy brings. */
function policyFindings(key: KeyDefinition, policy: PolicyDefinition, { lists }: SharedRecords): Finding[] {
  const type = key.type ?? policy.type;
  if (type === undefined) return [{ path: ['type'], message: `${MISSING_TYPE}, here or in the policy ${key.policy}` }];
  const own = typeFindings(type, { ...key });
  const { type: _, ...fields } = policy;
  const brought = typeFindings(type, fields).filter(({ path }) => !(String(path[0]) in key));
  const unusable = unknownLists(policy, lists).map(({ path, message }) => ({
    path,
    message: `names a list: it ${message}`,
  }));
  return [
    ...(key.type === undefined ? own : []),
    ...(type === 'metrics' && key.apiKey === null ? [{ path: [], message: NEEDS_API_KEY }] : []),
    ...[...brought, ...unusable].map(({ path, message }) => ({
      path: ['policy'],
      message: `brings ${String(path[0])}, which ${message}`,
    })),
  ];
}

/** Names of lists in these fields that stand for none. */
export function unknownLists({ allowFrom, denyFrom }: PolicyDefinition, lists: SharedRecords['lists']): Finding[] {
  const findings: Finding[] = [];
  const look = (field: string, items: readonly AddressItem[]): void => {
    for (const [index, item] of items.entries()) {
      if (!('list' in item)) continue;
      const list = usable(lists, item.list, 'address list');
      if ('message' in list) findings.push({ path: [field, index, 'list'], message: list.message });
    }
  };
  if (allowFrom !== undefined && allowFrom !== 'anywhere') look('allowFrom', allowFrom);
  if (denyFrom !== undefined) look('denyFrom', denyFrom);
  return findings;
}

/** Names of APIs in these fields that stand for none. */
export function unknownApis({ type, apis }: PolicyDefinition, known: readonly string[]): Finding[] {
  // A metrics key says no API: it may be there before the one that it is for.
  if (apis === undefined || apis === 'all' || type === 'metrics') return [];
  return apis.flatMap((name, index) =>
    known.includes(name) || name === METRICS_API
      ? []
      : [{ path: ['apis', index], message: noSuchName(name, 'API', known) }],
  );
}

function usable<T>(
  records: ReadonlyMap<string, Loaded<T>>,
  name: string,
  kind: string,
): { readonly definition: T } | { readonly message: string } {
  const found = records.get(name);
  if (found === undefined) return { message: noSuchName(name, kind, [...records.keys()]) };
  return 'definition' in found ? found : { message: `is ${name}, which cannot be used: ${found.invalid}` };
}

/** `is not ...; did you mean ...?` */
export function noSuchName(name: string, kind: string, known: readonly string[]): string {
  const meant = nearestName(name, known);
  const hint = meant === null ? '' : `; did you mean ${JSON.stringify(meant)}?`;
  return `is the name of no ${kind}: ${JSON.stringify(name)}${hint}`;
}

/** The policies and lists that a key names, itself or through its policy, as `policy:NAME` and `list:NAME`. */
export function recordsNamedBy(key: KeyDefinition, { policies }: SharedRecords): string[] {
  const named = listsNamedBy(key);
  if (key.policy !== null) {
    const policy = policies.get(key.policy);
    named.push(`policy:${key.policy}`, ...(policy && 'definition' in policy ? listsNamedBy(policy.definition) : []));
  }
  return named;
}

/** The lists that these fields name, as `list:NAME`. */
export function listsNamedBy({ allowFrom = 'anywhere', denyFrom = [] }: PolicyDefinition): string[] {
  if (allowFrom === 'anywhere' && denyFrom.length === 0) return [];
  const items = allowFrom === 'anywhere' ? denyFrom : [...allowFrom, ...denyFrom];
  return items.flatMap((item) => ('list' in item ? [`list:${item.list}`] : []));
}
