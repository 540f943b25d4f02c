/**
 * Keys, and the policies that they share, as sources yield them: secrets as hashes, addresses in one form. Validates nothing;
 * what may be written stands in definition-schema.ts.
 */
import { METRICS_API } from '../config/api-names.ts';
import { CACHE_TTL_MINUTES } from './key-fields.ts';
import type { AddressListDefinition } from './list-definition.ts';
import type { KeyType, Mode, RateLimit, TokenUse } from './key-fields.ts';

/** `sha256:` and 64 lower-case hex digits. */
export type SecretHash = `sha256:${string}`;

export interface SecretDefinition {
  readonly hash: SecretHash;
  readonly expiresAt: string | null;
}

/** An address or a range, or the name of an address list. */
export type AddressItem = { readonly address: string; readonly description: string } | { readonly list: string };

/** What a key may take from a policy. A field that has no meaning for the type of the key is null. */
export interface SharedFields {
  readonly description: string;
  readonly type: KeyType;
  readonly apis: 'all' | readonly string[];
  readonly allowedRoutes: 'all' | readonly string[];
  readonly enabled: boolean;
  readonly expiresAt: string | null;
  readonly allowFrom: 'anywhere' | readonly AddressItem[];
  readonly denyFrom: readonly AddressItem[];
  readonly allowedEvents: 'all' | readonly string[] | null;
  readonly disallowedEvents: 'remove' | 'reject' | null;
  readonly allowedOrigins: readonly string[];
  readonly allowBrowsers: boolean | null;
  readonly accessToken: TokenUse;
  readonly rateLimit: RateLimit | null;
  readonly mode: Mode;
  readonly cacheTtlMinutes: number | null;
}

export type SharedField = keyof SharedFields;

interface OwnFields {
  readonly id: string;
  readonly secrets: readonly SecretDefinition[];
  readonly apiKey: SecretHash | null;
}

/** Everything that holds for a key: its own fields, its policy's and the defaults. */
export interface WholeDefinition extends OwnFields, SharedFields {
  readonly policy: string | null;
}

/** A key without a policy: every default is filled in. */
export interface PlainDefinition extends WholeDefinition {
  readonly policy: null;
}

/** A key with a policy: the fields that it says itself. Null is said, too: of `rateLimit` and `expiresAt` it means none. */
export interface SharingDefinition extends OwnFields, Partial<SharedFields> {
  readonly policy: string;
}

/** A valid definition. */
export type KeyDefinition = PlainDefinition | SharingDefinition;

/** A valid policy: the fields that it says. Null is said, as in keys. */
export type PolicyDefinition = Partial<SharedFields>;

/** A definition from a source: valid, or with the reason why that one key cannot be used. */
export type LoadedDefinition = Loaded<KeyDefinition>;

/** The same of a key, a policy or an address list. */
export type Loaded<T> =
  { readonly id: string; readonly definition: T } | { readonly id: string; readonly invalid: string };

/** What keys take from elsewhere, by name. */
export interface SharedRecords {
  readonly policies: ReadonlyMap<string, Loaded<PolicyDefinition>>;
  readonly lists: ReadonlyMap<string, Loaded<AddressListDefinition>>;
}

export const NO_RECORDS: SharedRecords = { policies: new Map(), lists: new Map() };

type FieldOfSomeTypes = 'allowedEvents' | 'disallowedEvents' | 'allowBrowsers' | 'apiKey' | 'cacheTtlMinutes';

/** Which types a field is for, where it is not for all. */
export const FIELD_TYPES: Readonly<Record<FieldOfSomeTypes & keyof WholeDefinition, readonly KeyType[]>> = {
  allowedEvents: ['write-only', 'read-only', 'read-write'],
  disallowedEvents: ['write-only', 'read-only', 'read-write'],
  allowBrowsers: ['read-only', 'read-write', 'metrics'],
  apiKey: ['metrics'],
  cacheTtlMinutes: ['metrics'],
};

/** The default of each field. Those of `apis` and `accessToken` are others for metrics keys. */
export const DEFAULTS = {
  description: '',
  apis: 'all',
  allowedRoutes: 'all',
  enabled: true,
  expiresAt: null,
  allowFrom: 'anywhere',
  denyFrom: [],
  allowedEvents: 'all',
  disallowedEvents: 'remove',
  allowedOrigins: ['*'],
  allowBrowsers: false,
  accessToken: 'allowed',
  rateLimit: null,
  mode: 'enforce',
  cacheTtlMinutes: CACHE_TTL_MINUTES.default,
} as const satisfies Omit<SharedFields, 'type'>;

/** What a key of this type is when nothing else is said. The same object each time. */
export const defaultsOf = (type: KeyType): SharedFields => DEFAULTS_BY_TYPE[type];

const DEFAULTS_BY_TYPE: Readonly<Record<KeyType, SharedFields>> = {
  'write-only': makeDefaults('write-only'),
  'read-only': makeDefaults('read-only'),
  'read-write': makeDefaults('read-write'),
  metrics: makeDefaults('metrics'),
};

function makeDefaults(type: KeyType): SharedFields {
  const has = (field: keyof typeof FIELD_TYPES): boolean => FIELD_TYPES[field].includes(type);
  const isMetrics = type === 'metrics';
  return {
    ...DEFAULTS,
    type,
    apis: isMetrics ? [METRICS_API] : DEFAULTS.apis,
    allowedEvents: has('allowedEvents') ? DEFAULTS.allowedEvents : null,
    disallowedEvents: has('disallowedEvents') ? DEFAULTS.disallowedEvents : null,
    allowBrowsers: has('allowBrowsers') ? DEFAULTS.allowBrowsers : null,
    accessToken: isMetrics ? 'required' : DEFAULTS.accessToken,
    cacheTtlMinutes: has('cacheTtlMinutes') ? DEFAULTS.cacheTtlMinutes : null,
  };
}
