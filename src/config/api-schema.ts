/**
 * What can be said of a protected API in postern.yaml: where its backend is, which routes it has, what is passed on.
 * Types, limits, defaults and descriptions stand here once; the JSON Schema and the reference page are made from them.
 */
import { z } from 'zod';
import { nearestName } from './nearest.ts';
import { PRESETS } from './presets.ts';
import { RoutesSchema } from './route-schema.ts';
import { UpstreamTlsSchema } from './upstream-tls-schema.ts';
import { choice, duration, headerName, hostName, SECRET, secretText, text, upstreamUrl, whole } from './values.ts';

const CREDENTIAL = /^(?:bearer|basic-username|header:[!#$%&'+.^_`|~0-9A-Za-z-]+|(?:query|body):[A-Za-z0-9_.$~-]+)$/;
const JUDGED_HEADERS = new Set([
  'authorization',
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'origin',
  'cookie',
]);

const CredentialSchema = z
  .string({ error: 'must be bearer, basic-username, header:NAME, query:NAME or body:NAME' })
  .regex(CREDENTIAL, { error: 'must be bearer, basic-username, header:NAME, query:NAME or body:NAME' })
  .refine((location) => !JUDGED_HEADERS.has(location.toLowerCase().replace(/^header:/, '')), {
    error: 'must not be a header that has a meaning of its own; use "bearer" for Authorization',
  })
  .transform((location) => (location.startsWith('header:') ? location.toLowerCase() : location));

/** `authorization` is free text, so that a slip of the pen in `strip` would be sent to the backend as a credential. */
const AuthorizationSchema = z.union(
  [
    choice(['strip', 'pass']),
    secretText.meta(SECRET).refine((value) => nearestName(value.toLowerCase(), ['strip', 'pass']) === null, {
      error:
        'must be "strip", "pass" or the whole value to send, such as "Bearer ..."; this looks like a misspelt word',
    }),
  ],
  { error: 'must be "strip", "pass" or the whole value to send, such as "Bearer ..."' },
);

const CorsSchema = z
  .strictObject({
    allowedHeaders: z
      .array(headerName, { error: 'must be a list of header names' })
      .default(['authorization', 'content-type', 'content-encoding', 'x-request-id'])
      .describe('Request headers that a page may send. Tracing in pages needs `traceparent` here.'),
    maxAgeSeconds: whole(0, 86_400).default(7200).describe('How long a browser may keep the answer to a preflight.'),
    allowCredentials: z
      .boolean({ error: 'must be true or false' })
      .default(false)
      .describe(
        'Let pages send cookies along, as `sendBeacon` always does. Holds for keys whose `allowedOrigins` are named, never for `*`.',
      ),
  })
  .prefault({})
  .describe('Answers to browsers that ask before sending (CORS).');

const apiFields = {
  upstream: upstreamUrl.describe(
    'Where the backend listens: `http://host:port`, `https://host:port`, or `unix:` and the path of a Unix socket.',
  ),
  preset: z.enum(PRESETS).nullable().default(null).meta({
    default: 'userflux',
    description: 'A ready-made list of routes, in place of `routes`; the default holds when there are no `routes`.',
  }),
  routes: RoutesSchema.nullable()
    .default(null)
    .describe(
      'The routes that keys limited to specific events may use, and where the event names are. In place of `preset`.',
    ),
  credential: z
    .array(CredentialSchema, { error: 'must be a list of places, such as [bearer, "header:x-api-key"]' })
    .min(1, { error: 'must name at least one place' })
    .default(['bearer'])
    .describe(
      'Where keys are looked for, in order: `bearer`, `basic-username`, `header:NAME`, `query:NAME`, `body:NAME`. The metrics API knows `bearer` alone.',
    ),
  hosts: z
    .array(hostName, { error: 'must be a list of host names' })
    .default([])
    .describe('If set, this API serves only these Host names.'),
  authorization: AuthorizationSchema.default('strip').describe(
    'What the backend gets as `Authorization`: nothing (`strip`), what the client sent (`pass`), or this text, such as `Bearer ${UPSTREAM_KEY}`.',
  ),
  preserveHost: z
    .boolean({ error: 'must be true or false' })
    .default(false)
    .describe("Send the client's Host to the backend instead of the host of `upstream`."),
  connectTimeoutSeconds: duration(0.01, 300).default(2).describe('Time to connect to the backend.'),
  timeoutSeconds: duration(0.01, 3600).default(30).describe("Time until the backend's response headers."),
  idleTimeoutSeconds: duration(0.01, 3600)
    .default(60)
    .describe(
      "Time between two chunks of the backend's body. A client that takes nothing of an answer for so long, or up to twice, loses its connection, whoever made the answer; where no API was found, the shortest of all holds.",
    ),
  maxBodyBytes: whole(1, 1_073_741_824)
    .default(1_048_576)
    .describe('Largest request body; also the largest after decompression, where Postern reads it.'),
  maxConnections: whole(1, 65_536).default(128).describe('Most connections to the backend at one time.'),
  maxConnectionsPerKey: whole(1, 65_536)
    .nullable()
    .default(null)
    .describe(
      'How many of `maxConnections` the requests of one key may have, those without a known key together; null: half. Further ones wait for their own, and then get 503 `overloaded`.',
    ),
  keepAliveSeconds: duration(0.01, 3600)
    .default(4)
    .describe(
      "How long an idle connection to the backend may be used again; less if the backend announces less. Keep it below the backend's own limit.",
    ),
  tls: UpstreamTlsSchema,
  cors: CorsSchema,
  enforcement: choice(['enforce', 'report'])
    .default('enforce')
    .describe('`report` refuses nothing and shows what would be refused.'),
};

const MIN_TOKEN_SECRET_BYTES = 32;

const tokenSecret = z
  .string({ error: 'must be text; put it in quotes' })
  .refine((secret) => Buffer.byteLength(secret) >= MIN_TOKEN_SECRET_BYTES, {
    error: `must be at least ${MIN_TOKEN_SECRET_BYTES} bytes long (RFC 7518 3.2); \`openssl rand -base64 32\` makes one`,
  })
  .meta(SECRET);

const TokenSchema = z
  .strictObject({
    ttlSeconds: whole(60, 3600).default(900).describe('How long an access token is valid.'),
    secret: z
      .union([tokenSecret, z.array(tokenSecret).min(1, { error: 'must hold at least one secret' })], {
        error: 'must be a secret or a list of secrets',
      })
      .nullable()
      .default(null)
      .transform((secret): readonly string[] | null => (typeof secret === 'string' ? [secret] : secret))
      .describe(
        'Signs access tokens with HS256; at least 32 bytes. A list rotates: the first signs, all verify. null: made at start, which suits a single instance.',
      ),
    privateKeyFile: text()
      .nullable()
      .default(null)
      .describe(
        'PEM file of an Ed25519 or P-256 key; tokens are then EdDSA or ES256, and the public keys are served as a JWKS. In place of `secret`.',
      ),
    issuer: text().default('postern').describe('The `iss` of access tokens.'),
  })
  .superRefine((token, context) => {
    if (token.secret !== null && token.privateKeyFile !== null)
      context.addIssue({
        code: 'custom',
        path: ['privateKeyFile'],
        message: 'cannot stand beside `secret`: tokens are signed by one of them; remove the other',
      });
  })
  .prefault({})
  .describe('Access tokens of the metrics API.');

const CacheSchema = z
  .strictObject({
    store: choice(['memory', 'redis'])
      .default('memory')
      .describe('`redis` shares entries between replicas, with memory in front.'),
    maxBytes: whole(0, 68_719_476_736).default(67_108_864).describe('Memory for cached answers.'),
    maxEntryBytes: whole(0, 1_073_741_824).default(1_048_576).describe('Largest answer that is cached.'),
    staleIfErrorMinutes: whole(0, 10_080)
      .default(0)
      .describe('How long an expired answer is still served, so marked, while the backend fails.'),
  })
  .prefault({})
  .describe('Cached answers of metric queries.');

interface RoutesChoice {
  readonly preset: (typeof PRESETS)[number] | null;
  readonly routes: readonly unknown[] | null;
}

interface ConnectionShares {
  readonly maxConnections: number;
  readonly maxConnectionsPerKey: number | null;
}

function refuseContradictions(api: RoutesChoice & ConnectionShares, context: z.core.$RefinementCtx): void {
  // Either list of routes has to be the one that holds: the reader of the file must not have to guess which.
  if (api.preset !== null && api.routes !== null)
    context.addIssue({ code: 'custom', path: ['routes'], message: 'cannot stand beside `preset`: remove one of them' });
  if ((api.maxConnectionsPerKey ?? 0) > api.maxConnections)
    context.addIssue({
      code: 'custom',
      path: ['maxConnectionsPerKey'],
      message: 'must not be larger than `maxConnections`, of which it is a share',
    });
}

/** The default preset is filled in after validation, so that `routes` alone is not taken for both. */
const withDefaultRoutes = <T extends RoutesChoice>(api: T) => ({
  ...api,
  preset: api.preset ?? (api.routes === null ? ('userflux' as const) : null),
});

export const IntegrationApiSchema = z
  .strictObject(apiFields)
  .superRefine(refuseContradictions)
  .transform(withDefaultRoutes);

export const MetricsApiSchema = z
  .strictObject({ ...apiFields, token: TokenSchema, cache: CacheSchema })
  .superRefine((api, context) => {
    refuseContradictions(api, context);
    if (api.preset !== null && api.preset !== 'userflux')
      context.addIssue({
        code: 'custom',
        path: ['preset'],
        message: 'must be userflux: the other presets have no metrics API',
      });
    if (api.credential.some((location) => location !== 'bearer'))
      context.addIssue({
        code: 'custom',
        path: ['credential'],
        message: 'must be [bearer]: the metrics API takes access tokens alone',
      });
    if (api.cache.maxEntryBytes > api.cache.maxBytes)
      context.addIssue({
        code: 'custom',
        path: ['cache', 'maxEntryBytes'],
        message: 'must not be larger than `cache.maxBytes`',
      });
  })
  .transform(withDefaultRoutes);
