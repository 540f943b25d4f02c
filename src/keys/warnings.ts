/**
 * What a valid key file says that an operator should think about again: keys that may do more than they should, secrets that
 * can be read or guessed, keys that are about to expire.
 */
import type { Finding } from '../config/issue.ts';
import { problemsOf } from '../config/issue.ts';
import type { Problem } from '../config/problem.ts';
import { isEverything, plainSecrets, SHORT_SECRET } from '../config/warnings.ts';
import { METRICS_API } from '../config/api-names.ts';
import { SECRET_HASH } from '../config/values.ts';
import { NO_RECORDS, type SharedRecords, type WholeDefinition } from './definition.ts';
import { keyFileSchema, type LoadedKeyFile } from './key-file.ts';
import { verifySecretChecksum } from './secret.ts';
import { recordsNamedBy } from './whole-definition.ts';

const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/** Warnings about a key file, none while it has errors; `now` in milliseconds since the epoch. */
export function keyWarnings(loaded: LoadedKeyFile, now: number, context: WarningContext = NOTHING_KNOWN): Problem[] {
  const { definitions, wholes, records, yaml } = loaded;
  if (definitions === null || yaml.content === null) return [];
  const place = { file: yaml, schema: keyFileSchema() };
  const plain = (value: unknown, path: readonly PropertyKey[]): Finding[] =>
    plainSecrets(value, path, place).filter(
      (one) => !SECRET_HASH.test(String(valueAt(value, one.path.slice(path.length)))),
    );
  const { keys: _, ...rest } = yaml.content.value as Readonly<Record<string, unknown>>;
  const findings = wholes.flatMap((whole, index) => {
    const written = yaml.item(index);
    const own = [
      ...definitionWarnings(whole, now, { ...context, lists: records.lists }),
      ...secretWarnings(written),
      ...browserWarnings(whole, written),
    ];
    const base = ['keys', index];
    return [...own.map(({ path, message }) => ({ path: [...base, ...path], message })), ...plain(written, base)];
  });
  return problemsOf(
    [...findings, ...plain(rest, []), ...unusedRecords(loaded, context.listsUsed)],
    yaml,
    [],
    'warning',
  );
}

/** What of the configuration a warning may be about. */
export interface WarningContext {
  /** The APIs that let keys use paths that they do not list. */
  readonly openApis: readonly string[];
  /** The APIs that list a route with events; null: not known. */
  readonly eventApis: readonly string[] | null;
  /** Address lists that the configuration names. */
  readonly listsUsed: readonly string[];
}

const NOTHING_KNOWN: WarningContext = { openApis: [], eventApis: null, listsUsed: [] };

interface DefinitionContext {
  readonly openApis?: readonly string[];
  readonly eventApis?: WarningContext['eventApis'];
  /** Those that the key may name. */
  readonly lists?: SharedRecords['lists'];
}

/** What can be said of a key without the file that it stands in. */
export const definitionWarnings = (
  key: WholeDefinition,
  now: number,
  { openApis = [], eventApis = null, lists = NO_RECORDS.lists }: DefinitionContext = {},
): Finding[] => [
  ...addressWarnings(key, lists),
  ...routeWarnings(key, openApis),
  ...eventWarnings(key),
  ...unusableEvents(key, eventApis),
  ...expiryWarnings(key, now),
];

function unusedRecords({ definitions, records }: LoadedKeyFile, listsUsed: readonly string[]): Finding[] {
  const used = new Set(listsUsed.map((name) => `list:${name}`));
  for (const key of definitions ?? []) for (const name of recordsNamedBy(key, records)) used.add(name);
  const unused = (kind: string, field: string, names: Iterable<string>): Finding[] =>
    [...names]
      .filter((name) => !used.has(`${kind}:${name}`))
      .map((name) => ({ path: [field, name], message: 'is used by nothing; remove it, or name it', atKey: true }));
  return [
    ...unused('policy', 'policies', records.policies.keys()),
    ...unused('list', 'addressLists', records.lists.keys()),
  ];
}

/** A key that may do everything where nothing is listed is as wide as a key can be. */
function routeWarnings(
  { type, apis, allowedRoutes, allowedEvents }: WholeDefinition,
  openApis: readonly string[],
): Finding[] {
  if (type !== 'read-write' || allowedRoutes !== 'all' || allowedEvents !== 'all') return [];
  const open = openApis.filter((name) => isFor(apis, name));
  if (open.length === 0) return [];
  const where = open.length === 1 ? `the API ${open[0]}` : `the APIs ${open.join(', ')}`;
  return [
    {
      path: ['allowedRoutes'],
      message: `lets this key use every route of ${where}, listed or not; list the routes that it needs, or set \`unlisted: refuse\` there`,
    },
  ];
}

const isFor = (apis: WholeDefinition['apis'], name: string): boolean =>
  apis === 'all' ? name !== METRICS_API : apis.includes(name);

/** Events are looked for where a route says that it carries some, and a key limited to events sends them nowhere else. */
function unusableEvents({ apis, allowedEvents }: WholeDefinition, eventApis: readonly string[] | null): Finding[] {
  if (eventApis === null || allowedEvents === null || allowedEvents === 'all' || allowedEvents.length === 0) return [];
  if (eventApis.some((name) => isFor(apis, name))) return [];
  const message = 'names events, but no API of this key lists a route with `events`: it can send none of them';
  return [{ path: ['allowedEvents'], message }];
}

function addressWarnings({ type, allowFrom }: WholeDefinition, lists: SharedRecords['lists']): Finding[] {
  const path = ['allowFrom'];
  const message = `lets this ${type} key be used from anywhere; list the addresses of its back ends`;
  if (allowFrom === 'anywhere') return type === 'write-only' ? [] : [{ path, message }];
  const everything = allowFrom
    .flatMap((item) => ('list' in item ? literalEntries(item.list, lists) : [item]))
    .flatMap(({ address }) => (isEverything(address) ? [address.includes(':')] : []));
  if (everything.length === 0) return [];
  const [one, other] = everything[0] ? ['::/0', '0.0.0.0/0'] : ['0.0.0.0/0', '::/0'];
  const half = new Set(everything).size === 1;
  return [
    ...(type === 'write-only' ? [] : [{ path, message }]),
    ...(half ? [{ path, message: `holds ${one} without ${other}: only one of the two families is let in` }] : []),
  ];
}

/** Empty for a list whose entries stand elsewhere. */
function literalEntries(name: string, lists: SharedRecords['lists']): readonly { readonly address: string }[] {
  const list = lists.get(name);
  return list !== undefined && 'definition' in list && list.definition.kind === 'literal'
    ? list.definition.entries
    : [];
}

function eventWarnings({ type, allowedEvents, allowedOrigins }: WholeDefinition): Finding[] {
  if (type !== 'write-only' || allowedEvents !== 'all' || !allowedOrigins.includes('*')) return [];
  return [{ path: [], message: 'lets any web page send any event; limit `allowedEvents` or `allowedOrigins`' }];
}

/** A key ends when it expires itself, or when the last of its secrets does. */
function expiryWarnings({ expiresAt, secrets }: WholeDefinition, now: number): Finding[] {
  const secretEnds = secrets.map((secret) => (secret.expiresAt === null ? Infinity : Date.parse(secret.expiresAt)));
  const ends = [
    { path: ['expiresAt'], at: expiresAt === null ? Infinity : Date.parse(expiresAt) },
    { path: ['secrets'], at: Math.max(...secretEnds) },
  ];
  return ends.flatMap(({ path, at }) => {
    if (at > now + SOON_DAYS * DAY_MS) return [];
    const when = at <= now ? 'has passed' : `is within ${SOON_DAYS} days`;
    return [{ path, message: `ends this key on ${new Date(at).toISOString()}, which ${when}` }];
  });
}

/** Whoever says so may think that it keeps the key out of pages. */
function browserWarnings({ type }: WholeDefinition, written: unknown): Finding[] {
  if (type !== 'write-only' || (written as { readonly allowBrowsers?: unknown } | null)?.allowBrowsers !== false)
    return [];
  const message = 'changes nothing: pages may use a write-only key; `allowedOrigins: []` keeps it out of them';
  return [{ path: ['allowBrowsers'], message }];
}

/** Asked of the text itself, which exists only while the file is read. */
function secretWarnings(written: unknown): Finding[] {
  if (typeof written !== 'object' || written === null) return [];
  const { secret, secrets } = written as { secret?: string; secrets?: readonly { value?: string }[] };
  const values = [
    { path: ['secret'], value: secret },
    ...(secrets ?? []).map(({ value }, index) => ({ path: ['secrets', index, 'value'], value })),
  ];
  return values.flatMap(({ path, value }) => {
    if (value === undefined) return [];
    if (value.length < SHORT_SECRET)
      return [{ path, message: `is shorter than ${SHORT_SECRET} characters and can be guessed` }];
    return verifySecretChecksum(value) === 'mistyped'
      ? [{ path, message: 'looks like a secret from `postern keygen` with a typing error in it' }]
      : [];
  });
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown>)[step], value);
