/**
 * Every field of a key's definition that a form can change, once: its title, the parts of the form that stand for it, the way there
 * and back, and its value in words. What was typed stays as typed: the server alone judges it, so that there is one set of rules.
 */
import { CACHE_TTL_MINUTES } from '../../../keys/key.ts';
import type { KeyDefinition, KeyReplacement, KeyType, Mode } from '../api/types.ts';

export interface Location {
  readonly address: string;
  readonly description: string;
  /** The address list that it stands for; such a row is kept as it is. */
  readonly list?: string;
}

interface Field<Parts, Saved> {
  readonly title: string;
  /** The types of keys that have it; left out: all. */
  readonly types?: readonly KeyType[];
  /** The parts of the form that change together, as they are in a new form: what they mean is the default. */
  readonly empty: Parts;
  readonly read: (definition: KeyDefinition) => Parts;
  /** What is saved; undefined leaves it out. What stands in a part that is switched off does not count. */
  readonly write: (parts: Parts) => Saved;
  /** The whole value in words. */
  readonly words: (definition: KeyDefinition) => string;
}

const field = <Parts, Saved>(one: Field<Parts, Saved>): Field<Parts, Saved> => one;

export const FIELDS = {
  description: field({
    title: 'Description',
    empty: { description: '' },
    read: ({ description }) => ({ description }),
    write: ({ description }) => description,
    words: ({ description }) => description || 'None',
  }),
  enabled: field({
    title: 'Enabled or disabled',
    empty: { enabled: true },
    read: ({ enabled }) => ({ enabled }),
    write: ({ enabled }) => enabled,
    words: ({ enabled }) => (enabled ? 'Enabled' : 'Disabled'),
  }),
  allowFrom: field({
    title: 'Access control',
    empty: { anywhere: true, locations: [] as readonly Location[] },
    read: ({ allowFrom }) => ({
      anywhere: allowFrom === 'anywhere',
      locations: allowFrom === 'anywhere' ? [] : allowFrom.map(locationOf),
    }),
    write: ({ anywhere, locations }) => (anywhere ? 'anywhere' : locations.map(savedLocation)),
    words: ({ allowFrom }) =>
      allowFrom === 'anywhere' ? 'Anywhere' : joined(allowFrom.map(locationOf).map(placeInWords), 'Nowhere'),
  }),
  allowedEvents: field({
    title: 'Allowed profile events',
    types: ['write-only', 'read-only', 'read-write'],
    empty: { allEvents: true, events: [] as readonly string[] },
    read: ({ allowedEvents }) => ({
      allEvents: allowedEvents === null || allowedEvents === 'all',
      events: Array.isArray(allowedEvents) ? allowedEvents : [],
    }),
    write: ({ allEvents, events }) => (allEvents ? 'all' : [...events]),
    words: ({ allowedEvents }) => (Array.isArray(allowedEvents) ? joined(allowedEvents, 'None') : 'All'),
  }),
  disallowedEvents: field<{ disallowedEvents: 'remove' | 'reject' }, 'remove' | 'reject'>({
    title: 'Disallowed events',
    types: ['write-only', 'read-only', 'read-write'],
    empty: { disallowedEvents: 'remove' },
    read: ({ disallowedEvents }) => ({ disallowedEvents: disallowedEvents ?? 'remove' }),
    write: ({ disallowedEvents }) => disallowedEvents,
    words: ({ disallowedEvents }) => disallowedEvents ?? '',
  }),
  allowedOrigins: field({
    title: 'Origins',
    empty: { anyOrigin: true, origins: [] as readonly string[] },
    read({ allowedOrigins }) {
      const anyOrigin = allowedOrigins.includes('*');
      return { anyOrigin, origins: anyOrigin ? [] : allowedOrigins };
    },
    write: ({ anyOrigin, origins }) => (anyOrigin ? ['*'] : origins.map((origin) => origin.trim())),
    words: ({ allowedOrigins }) => (allowedOrigins.includes('*') ? 'Any origin' : joined(allowedOrigins, 'None')),
  }),
  allowBrowsers: field({
    title: 'Browser use',
    types: ['read-only', 'read-write', 'metrics'],
    empty: { allowBrowsers: false },
    read: ({ allowBrowsers }) => ({ allowBrowsers: allowBrowsers ?? false }),
    write: ({ allowBrowsers }) => allowBrowsers,
    words: ({ allowBrowsers }) => (allowBrowsers ? 'Web pages may use it' : 'No web page may use it'),
  }),
  rateLimit: field({
    title: 'Rate limit',
    empty: { limited: false, requests: '100', windowSeconds: '1' },
    read: ({ rateLimit }) => ({
      limited: rateLimit !== null,
      requests: String(rateLimit?.requests ?? 100),
      windowSeconds: String(rateLimit?.windowSeconds ?? 1),
    }),
    write: ({ limited, requests, windowSeconds }) =>
      limited ? { requests: numberIn(requests), windowSeconds: numberIn(windowSeconds) } : null,
    words: ({ rateLimit }) =>
      rateLimit === null ? 'No limit' : `${rateLimit.requests} requests in ${rateLimit.windowSeconds} s`,
  }),
  mode: field<{ mode: Mode }, Mode>({
    title: 'Mode',
    empty: { mode: 'enforce' },
    read: ({ mode }) => ({ mode }),
    write: ({ mode }) => mode,
    words: ({ mode }) => (mode === 'report' ? 'Report only' : 'Refuse'),
  }),
  expiresAt: field({
    title: 'Expiry',
    /** `expiresAt`: RFC 3339. */
    empty: { expires: false, expiresAt: '' },
    read: ({ expiresAt }) => ({ expires: expiresAt !== null, expiresAt: expiresAt ?? '' }),
    write: ({ expires, expiresAt }) => (expires ? expiresAt : null),
    words: ({ expiresAt }) => expiresAt ?? 'Never',
  }),
  cacheTtlMinutes: field({
    title: 'Cache TTL',
    types: ['metrics'],
    empty: { cacheTtlMinutes: String(CACHE_TTL_MINUTES.default) },
    read: ({ cacheTtlMinutes }) => ({ cacheTtlMinutes: String(cacheTtlMinutes ?? CACHE_TTL_MINUTES.default) }),
    write: ({ cacheTtlMinutes }) => numberIn(cacheTtlMinutes),
    words: ({ cacheTtlMinutes }) => `${cacheTtlMinutes} minutes`,
  }),
  apiKey: field({
    title: 'API key',
    types: ['metrics'],
    /** A new one; empty: as it is. */
    empty: { apiKey: '' },
    read: () => ({ apiKey: '' }),
    write: ({ apiKey }) => apiKey || undefined,
    words: ({ apiKey }) => (apiKey === null ? 'None' : `begins with ${apiKey.id}`),
  }),
  policy: field<{ policy: string | null }, string | null>({
    title: 'Policy',
    empty: { policy: null },
    read: ({ policy }) => ({ policy }),
    write: ({ policy }) => policy,
    words: ({ policy }) => policy ?? 'None',
  }),
  apis: field<{ apis: KeyDefinition['apis'] }, KeyReplacement['apis']>({
    title: 'APIs',
    empty: { apis: 'all' },
    read: ({ apis }) => ({ apis }),
    write: ({ apis }) => apis,
    words: ({ apis }) => (apis === 'all' ? 'All' : joined(apis, 'None')),
  }),
  allowedRoutes: field<{ allowedRoutes: KeyDefinition['allowedRoutes'] }, KeyReplacement['allowedRoutes']>({
    title: 'Routes',
    empty: { allowedRoutes: 'all' },
    read: ({ allowedRoutes }) => ({ allowedRoutes }),
    write: ({ allowedRoutes }) => allowedRoutes,
    words: ({ allowedRoutes }) => (allowedRoutes === 'all' ? 'All' : joined(allowedRoutes, 'None')),
  }),
  denyFrom: field({
    title: 'Denied addresses',
    empty: { denied: [] as readonly Location[] },
    read: ({ denyFrom }) => ({ denied: denyFrom.map(locationOf) }),
    write: ({ denied }) => denied.map(savedLocation),
    words: ({ denyFrom }) => joined(denyFrom.map(locationOf).map(placeInWords), 'None'),
  }),
  accessToken: field<{ accessToken: KeyDefinition['accessToken'] | null }, KeyReplacement['accessToken']>({
    title: 'Access tokens',
    /** null: the default, which goes by the type. */
    empty: { accessToken: null },
    read: ({ accessToken }) => ({ accessToken }),
    write: ({ accessToken }) => accessToken,
    words: ({ accessToken }) => accessToken,
  }),
} as const satisfies { readonly [N in FormField]: { readonly write: (parts: never) => KeyReplacement[N] } };

/** The fields of a definition that a form can change. */
type FormField = Exclude<keyof KeyReplacement, 'id' | 'type' | 'secrets' | 'inherited'>;
export type FieldName = keyof typeof FIELDS;

/** A key's definition as a form holds it: the parts of all fields. */
export type Draft = Readonly<Joined<(typeof FIELDS)[FieldName]['empty']>>;

type Joined<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer All) => void ? All : never;

type SavedLocation = Exclude<KeyDefinition['allowFrom'], string>[number];

export const locationOf = (item: SavedLocation): Location => ('list' in item ? listLocation(item.list) : item);

export const listLocation = (list: string): Location => ({ address: `list ${list}`, description: '', list });

export const savedLocation = ({ address, description, list }: Location): SavedLocation =>
  list === undefined ? { address: address.trim(), description: description.trim() } : { list };

export const placeInWords = ({ address, description }: Location): string =>
  [address, description].filter(Boolean).join(' ');

const joined = (texts: readonly string[], none: string): string => texts.join(', ') || none;

/** What is no number goes as it is typed: the server says what is wrong with it. */
function numberIn(text: string): number {
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? (text as unknown as number) : number;
}
