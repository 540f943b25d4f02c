/**
 * A key and a policy as an operator writes them, in keys.yaml and as JSON in Redis: every field with its type, limits and default,
 * once. The JSON Schema in config/ and the tables in docs/configuration.md are generated from here. Reads nothing.
 */
import { z } from 'zod';
import { AddressEntriesSchema, AllowFromSchema, recordName } from '../config/address-entries.ts';
import { API_NAME } from '../config/api-names.ts';
import { choice, instant, SECRET, secretHash, secretText, secretValue, text, whole } from '../config/values.ts';
import { allowedRouteProblem } from './allowed-routes.ts';
import { DEFAULTS } from './definition.ts';
import { CACHE_TTL_MINUTES, KEY_TYPES, TOKEN_USES } from './key-fields.ts';

const SecretSchema = z
  .strictObject({
    hash: secretHash.optional().meta({
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
  .regex(API_NAME, { error: 'must be the name of an API: lower-case letters, digits and "-"' });

const allowedRoute = z
  .string({ error: 'must be a method and a path, such as "GET /v1/users/:id"' })
  .superRefine((line, context) => {
    const problem = allowedRouteProblem(line);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

const eventName = text('must be an event name in quotes, not empty');

/** What `null` says is the default, or nothing, as in definitions that the admin API has shown. */
const unsaid = <T extends z.ZodType>(schema: T, preset: unknown, description: string) =>
  schema.nullable().optional().meta({ default: preset, description });

const said = <T extends z.ZodType>(schema: T, preset: unknown, description: string) =>
  schema.optional().meta({ default: preset, description });

/** What a policy may say for the keys that use it. */
const sharedFields = {
  description: said(z.string({ error: 'must be text' }), DEFAULTS.description, 'What the key is for.'),
  type: choice(KEY_TYPES)
    .optional()
    .describe(
      '`write-only`: POST alone, for front ends. `read-only`: GET and HEAD. `read-write`: all methods, for back ends. `metrics`: the metrics API. Required, here or in the policy.',
    ),
  apis: said(
    z.union([z.literal('all'), z.array(apiName)], { error: 'must be "all" or a list of names of APIs' }),
    DEFAULTS.apis,
    'The APIs that the key is for, by name. `all`: every API but `metrics`; of a metrics key: `metrics` alone.',
  ),
  allowedRoutes: said(
    z.union([z.literal('all'), z.array(allowedRoute)], { error: 'must be "all" or a list of "METHOD PATH"' }),
    DEFAULTS.allowedRoutes,
    '`all`, or a list of `METHOD PATH`: METHOD may be `*`, `:name` stands for one segment, a last segment `**` for one or more. GET admits HEAD. An empty list admits none.',
  ),
  enabled: said(z.boolean({ error: 'must be true or false' }), DEFAULTS.enabled, 'false: the key is refused.'),
  expiresAt: unsaid(instant, DEFAULTS.expiresAt, 'When the key stops working (RFC 3339); null: never.'),
  allowFrom: said(
    AllowFromSchema,
    DEFAULTS.allowFrom,
    'From where the key may be used: `anywhere`, or a list of addresses and ranges, each with an optional description, and of `{ list: NAME }`, which stands for an address list; an empty list admits nobody.',
  ),
  denyFrom: said(
    AddressEntriesSchema,
    DEFAULTS.denyFrom,
    'From where the key may not be used, whatever `allowFrom` says: a list as there.',
  ),
  allowedEvents: unsaid(
    z.union([z.literal('all'), z.array(eventName)], { error: 'must be "all" or a list of event names' }),
    DEFAULTS.allowedEvents,
    '`all`, or a list of exact event names; an empty list admits none.',
  ),
  disallowedEvents: unsaid(
    choice(['remove', 'reject']),
    DEFAULTS.disallowedEvents,
    'What happens to a batch with events that are not allowed: they are cut out, or the whole request is refused.',
  ),
  allowedOrigins: unsaid(
    z
      .array(originText, { error: 'must be a list of origins, or ["*"]' })
      .refine((origins) => origins.length === 1 || !origins.includes('*'), {
        error: 'must hold "*" alone, or no "*" at all',
      }),
    DEFAULTS.allowedOrigins,
    'Origins whose pages may use the key, if pages may use it at all.',
  ),
  allowBrowsers: unsaid(
    z.boolean({ error: 'must be true or false' }),
    DEFAULTS.allowBrowsers,
    'Let web pages use the key, although they cannot keep it secret. Pages may use a write-only key anyway: of one, `false` may be written and changes nothing.',
  ),
  accessToken: unsaid(
    choice(TOKEN_USES),
    DEFAULTS.accessToken,
    'Where the API has access tokens. `allowed`: the key is known by its secret and by tokens. `required`: by tokens alone; so it is with metrics keys. `never`: it gets none.',
  ),
  rateLimit: unsaid(
    z.strictObject({
      requests: whole(1, 1_000_000_000).describe('How many requests one window admits.'),
      windowSeconds: whole(1, 86_400).describe('The length of the window.'),
    }),
    DEFAULTS.rateLimit,
    'Most requests in any window of this length; null: no limit.',
  ),
  mode: said(
    choice(['enforce', 'report']),
    DEFAULTS.mode,
    '`report` refuses nothing once the key is known, and shows what would be refused.',
  ),
  cacheTtlMinutes: unsaid(
    z
      .int({ error: `must be a whole number of minutes, at least ${CACHE_TTL_MINUTES.least}` })
      .min(CACHE_TTL_MINUTES.least, { error: `must be at least ${CACHE_TTL_MINUTES.least}` })
      .max(CACHE_TTL_MINUTES.most, { error: `must be at most ${CACHE_TTL_MINUTES.most}, a year` }),
    DEFAULTS.cacheTtlMinutes,
    'How long a query result is cached.',
  ),
};

export const PolicySchema = z.strictObject(sharedFields).describe('Fields that hold for the keys that use the policy.');

const { description, type, ...others } = sharedFields;

export const KeyDefinitionSchema = z.strictObject({
  id: recordName.describe('Names the key in logs and metrics; unique, never a secret.'),
  description,
  type,
  policy: unsaid(recordName, null, 'A name under `policies`, whose fields hold where the key does not say otherwise.'),
  secret: secretValue.optional().meta({ ...SECRET, description: 'Short for `secrets: [{ value: ... }]`.' }),
  secrets: z
    .array(SecretSchema, { error: 'must be a list of secrets' })
    .min(1, { error: 'must hold at least one secret' })
    .optional()
    .describe('One or more secrets; several rotate with an overlap.'),
  ...others,
  apiKey: secretText
    .nullable()
    .optional()
    .meta({
      ...SECRET,
      default: null,
      description:
        'The API key that is sent beside the client secret, or its hash as `sha256:<64 hex digits>`. Required.',
    }),
});

/** A definition as it may be written; also the JSON that the Redis layout holds. */
export type WrittenKeyDefinition = z.input<typeof KeyDefinitionSchema>;
export type ParsedKeyDefinition = z.output<typeof KeyDefinitionSchema>;
export type WrittenPolicy = z.input<typeof PolicySchema>;
export type ParsedPolicy = z.output<typeof PolicySchema>;
