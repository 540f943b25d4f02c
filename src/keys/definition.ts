/**
 * A key as an operator writes it, in keys.yaml and as JSON in Redis: every field with its type, limits and default, once.
 * The JSON Schema in config/ and the table in docs/configuration.md are generated from here. Reads nothing.
 */
import { z } from 'zod';
import { addressRange, choice, instant, SECRET, secretText, text, whole } from '../config/values.ts';
import { allowedRouteProblem } from './allowed-routes.ts';
import {
  CACHE_TTL_MINUTES,
  KEY_TYPES,
  TOKEN_USES,
  type KeyType,
  type Mode,
  type RateLimit,
  type TokenUse,
} from './key.ts';

/** `sha256:` and 64 lower-case hex digits. */
export type SecretHash = `sha256:${string}`;

export interface SecretDefinition {
  readonly hash: SecretHash;
  readonly expiresAt: string | null;
}

export interface AllowedAddress {
  readonly address: string;
  readonly description: string;
}

/** A valid definition with every default filled in. A field that has no meaning for the type of the key is null. */
export interface KeyDefinition {
  readonly id: string;
  readonly description: string;
  readonly type: KeyType;
  readonly apis: 'all' | readonly string[];
  readonly allowedRoutes: 'all' | readonly string[];
  readonly secrets: readonly SecretDefinition[];
  readonly enabled: boolean;
  readonly expiresAt: string | null;
  readonly allowFrom: 'anywhere' | readonly AllowedAddress[];
  readonly denyFrom: readonly AllowedAddress[];
  readonly allowedEvents: 'all' | readonly string[] | null;
  readonly disallowedEvents: 'remove' | 'reject' | null;
  readonly allowedOrigins: readonly string[];
  readonly allowBrowsers: boolean | null;
  readonly accessToken: TokenUse;
  readonly rateLimit: RateLimit | null;
  readonly mode: Mode;
  readonly apiKey: SecretHash | null;
  readonly cacheTtlMinutes: number | null;
}

/** A definition from a source: valid, or with the reason why that one key cannot be used. */
export type LoadedDefinition =
  { readonly id: string; readonly definition: KeyDefinition } | { readonly id: string; readonly invalid: string };

type FieldOfSomeTypes = 'allowedEvents' | 'disallowedEvents' | 'allowBrowsers' | 'apiKey' | 'cacheTtlMinutes';

/** Which types a field is for, where it is not for all. */
export const FIELD_TYPES: Readonly<Record<FieldOfSomeTypes & keyof KeyDefinition, readonly KeyType[]>> = {
  allowedEvents: ['write-only', 'read-only', 'read-write'],
  disallowedEvents: ['write-only', 'read-only', 'read-write'],
  allowBrowsers: ['read-only', 'read-write', 'metrics'],
  apiKey: ['metrics'],
  cacheTtlMinutes: ['metrics'],
};

/** Of the fields that are not for every type: they cannot be filled in before the type is known. */
export const DEFAULTS = {
  allowFrom: 'anywhere',
  allowedEvents: 'all',
  disallowedEvents: 'remove',
  allowedOrigins: ['*'],
  allowBrowsers: false,
  accessToken: 'allowed',
  cacheTtlMinutes: CACHE_TTL_MINUTES.default,
} as const;

export const SECRET_HASH = /^sha256:[0-9a-f]{64}$/i;

export const keyId = z.string({ error: 'must be text; put it in quotes' }).regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, {
  error: 'must be 1 to 64 lower-case letters, digits, ".", "_" or "-", starting with a letter or digit',
});

const secretValue = secretText
  .refine((value) => !SECRET_HASH.test(value), { error: 'must be the secret itself; a hash belongs in `hash`' })
  .meta(SECRET);

const SecretSchema = z
  .strictObject({
    hash: z
      .string({ error: 'must be "sha256:" and 64 hex digits' })
      .regex(SECRET_HASH, { error: 'must be "sha256:" and 64 hex digits, as `postern hash` prints it' })
      .optional()
      .meta({
        ...SECRET,
        description: 'The secret as `sha256:<64 hex digits>`, from `postern hash` or `postern keygen`.',
      }),
    value: secretValue.optional().meta({
      ...SECRET,
      description: 'The secret itself, best as a reference: `${WEB_KEY}` or `${file:/run/secrets/web}`.',
    }),
    expiresAt: instant.nullable().default(null).describe('When this secret stops working (RFC 3339); null: never.'),
  })
  .superRefine((secret, context) => {
    if ((secret.hash === undefined) === (secret.value === undefined))
      context.addIssue({ code: 'custom', message: 'must hold either `hash` or `value`' });
  });

const AllowedAddressSchema = z.union(
  [
    addressRange,
    z.strictObject({
      address: addressRange.describe('An address, or a range such as `2001:db8:1::/48`.'),
      description: z.string({ error: 'must be text' }).default('').describe('Whose address it is.'),
    }),
  ],
  { error: 'must be an address, a range, or { address, description }' },
);

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(?:\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::[1-9]\d{0,4})?$/;
const DEFAULT_PORT = /^(?:http:.*:80|https:.*:443)$/;

const originText = z
  .string({ error: 'must be an origin such as "https://www.example.com", or "*"' })
  .refine((origin) => origin === '*' || ORIGIN.test(origin), {
    error:
      'must be an origin as browsers send it, such as "https://www.example.com": lower-case scheme, host and port, no path; or "*"',
  })
  .refine((origin) => !DEFAULT_PORT.test(origin), {
    error: 'must be written without its default port, as browsers send it',
  });

const apiName = z
  .string({ error: 'must be the name of an API' })
  .regex(/^[a-z][a-z0-9-]{0,31}$/, { error: 'must be the name of an API: lower-case letters, digits and "-"' });

const allowedRoute = z
  .string({ error: 'must be a method and a path, such as "GET /v1/users/:id"' })
  .superRefine((line, context) => {
    const problem = allowedRouteProblem(line);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

const eventName = text('must be an event name in quotes, not empty');

export const KeyDefinitionSchema = z.strictObject({
  id: keyId.describe('Names the key in logs and metrics; unique, never a secret.'),
  description: z.string({ error: 'must be text' }).default('').describe('What the key is for.'),
  type: choice(KEY_TYPES).describe(
    '`write-only`: POST alone, for front ends. `read-only`: GET and HEAD. `read-write`: all methods, for back ends. `metrics`: the metrics API.',
  ),
  apis: z
    .union([z.literal('all'), z.array(apiName)], { error: 'must be "all" or a list of names of APIs' })
    .default('all')
    .describe(
      'The APIs that the key is for, by name. `all`: every API but `metrics`; of a metrics key: `metrics` alone.',
    ),
  allowedRoutes: z
    .union([z.literal('all'), z.array(allowedRoute)], { error: 'must be "all" or a list of "METHOD PATH"' })
    .default('all')
    .describe(
      '`all`, or a list of `METHOD PATH`: METHOD may be `*`, `:name` stands for one segment, a last segment `**` for one or more. GET admits HEAD. An empty list admits none.',
    ),
  secret: secretValue.optional().meta({ ...SECRET, description: 'Short for `secrets: [{ value: ... }]`.' }),
  secrets: z
    .array(SecretSchema, { error: 'must be a list of secrets' })
    .min(1, { error: 'must hold at least one secret' })
    .optional()
    .describe('One or more secrets; several rotate with an overlap.'),
  enabled: z.boolean({ error: 'must be true or false' }).default(true).describe('false: the key is refused.'),
  expiresAt: instant.nullable().default(null).describe('When the key stops working (RFC 3339); null: never.'),
  allowFrom: z
    .union([z.literal('anywhere'), z.array(AllowedAddressSchema)], {
      error: 'must be "anywhere" or a list of addresses and ranges',
    })
    .default(DEFAULTS.allowFrom)
    .describe(
      'From where the key may be used: `anywhere`, or a list of addresses and ranges, each with an optional description; an empty list admits nobody.',
    ),
  denyFrom: z
    .array(AllowedAddressSchema, { error: 'must be a list of addresses and ranges' })
    .default([])
    .describe('From where the key may not be used, whatever `allowFrom` says: a list as there.'),
  allowedEvents: z
    .union([z.literal('all'), z.array(eventName)], { error: 'must be "all" or a list of event names' })
    .nullable()
    .default(null)
    .meta({
      default: DEFAULTS.allowedEvents,
      description: '`all`, or a list of exact event names; an empty list admits none.',
    }),
  disallowedEvents: choice(['remove', 'reject']).nullable().default(null).meta({
    default: DEFAULTS.disallowedEvents,
    description:
      'What happens to a batch with events that are not allowed: they are cut out, or the whole request is refused.',
  }),
  allowedOrigins: z
    .array(originText, { error: 'must be a list of origins, or ["*"]' })
    .refine((origins) => origins.length === 1 || !origins.includes('*'), {
      error: 'must hold "*" alone, or no "*" at all',
    })
    .default([...DEFAULTS.allowedOrigins])
    .describe('Origins whose pages may use the key, if pages may use it at all.'),
  allowBrowsers: z.boolean({ error: 'must be true or false' }).nullable().default(null).meta({
    default: DEFAULTS.allowBrowsers,
    description: 'Let web pages use the key, although they cannot keep it secret.',
  }),
  accessToken: choice(TOKEN_USES).nullable().default(null).meta({
    default: DEFAULTS.accessToken,
    description:
      'Where the API has access tokens. `allowed`: the key is known by its secret and by tokens. `required`: by tokens alone; so it is with metrics keys. `never`: it gets none.',
  }),
  rateLimit: z
    .strictObject({
      requests: whole(1, 1_000_000_000).describe('How many requests one window admits.'),
      windowSeconds: whole(1, 86_400).describe('The length of the window.'),
    })
    .nullable()
    .default(null)
    .describe('Most requests in any window of this length; null: no limit.'),
  mode: choice(['enforce', 'report'])
    .default('enforce')
    .describe('`report` refuses nothing once the key is known, and shows what would be refused.'),
  apiKey: secretText
    .nullable()
    .default(null)
    .meta({
      ...SECRET,
      description:
        'The API key that is sent beside the client secret, or its hash as `sha256:<64 hex digits>`. Required.',
    }),
  cacheTtlMinutes: z
    .int({ error: `must be a whole number of minutes, at least ${CACHE_TTL_MINUTES.least}` })
    .min(CACHE_TTL_MINUTES.least, { error: `must be at least ${CACHE_TTL_MINUTES.least}` })
    .max(CACHE_TTL_MINUTES.most, { error: `must be at most ${CACHE_TTL_MINUTES.most}, a year` })
    .nullable()
    .default(null)
    .meta({ default: DEFAULTS.cacheTtlMinutes, description: 'How long a query result is cached.' }),
});

/** A definition as it may be written; also the JSON that the Redis layout holds. */
export type WrittenKeyDefinition = z.input<typeof KeyDefinitionSchema>;
export type ParsedKeyDefinition = z.output<typeof KeyDefinitionSchema>;
