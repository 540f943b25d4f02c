/**
 * What can be said of a protected API in postern.yaml: where its backend is, which routes it has, what is passed on.
 * Types, limits, defaults and descriptions stand here once; the JSON Schema and the reference page are made from them.
 */
import { z } from 'zod';
import { AddressEntriesSchema, AllowFromSchema } from './address-entries.ts';
import { AuthorizationSchema, CredentialSchema } from './credential-schema.ts';
import { defaultsOf, PRESETS } from './presets.ts';
import { RoutesSchema } from './route-schema.ts';
import { TokenSchema } from './token-schema.ts';
import { choice, duration, headerName, hostName, plainPath, text, upstreamUrl, whole } from './values.ts';
import { UpstreamTlsSchema } from './upstream-tls-schema.ts';

const CorsSchema = z
  .strictObject({
    allowedHeaders: z
      .array(headerName, { error: 'must be a list of header names' })
      .nullable()
      .default(null)
      .meta({
        default: defaultsOf(null).allowedHeaders,
        description:
          'Request headers that a page may send. A preset has those of its vendor besides. Tracing in pages needs `traceparent` here.',
      }),
    maxAgeSeconds: whole(0, 86_400).default(7200).describe('How long a browser may keep the answer to a preflight.'),
    allowCredentials: z.boolean({ error: 'must be true or false' }).nullable().default(null).meta({
      default: false,
      description:
        'Let pages send cookies along, as `sendBeacon` always does; a preset whose vendor needs it has true. Holds for keys whose `allowedOrigins` are named, never for `*`.',
    }),
  })
  .prefault({})
  .describe('Answers to browsers that ask before sending (CORS).');

export const CacheSchema = z
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
  .superRefine((cache, context) => {
    if (cache.maxEntryBytes > cache.maxBytes)
      context.addIssue({
        code: 'custom',
        path: ['maxEntryBytes'],
        message: 'must not be larger than `cache.maxBytes`',
      });
  });

const pathPrefix = plainPath.refine((path) => !/\/:|\*/.test(path), {
  error: 'must be a prefix and no pattern: it stands for every path under it',
});

const apiFields = {
  upstream: upstreamUrl.describe(
    'Where the backend listens: `http://host:port`, `https://host:port`, or `unix:` and the path of a Unix socket.',
  ),
  paths: z
    .array(pathPrefix, { error: 'must be a list of path prefixes, such as ["/v1"]' })
    .min(1, { error: 'must name at least one path prefix' })
    .nullable()
    .default(null)
    .meta({
      default: ['/'],
      description:
        'The path prefixes that this API serves, in whole segments; of several APIs the longest prefix decides. The default of the API named `metrics` is `["/metrics"]`. An API that does not say `paths` leaves `/metrics` alone.',
    }),
  preset: z
    .enum(PRESETS)
    .nullable()
    .default(null)
    .describe(
      'A ready-made list of routes, in place of `routes`. `integration` and `metrics` have `userflux` where they name no routes.',
    ),
  routes: RoutesSchema.nullable()
    .default(null)
    .describe(
      'The routes that keys limited to specific events may use, and where the event names are. In place of `preset`.',
    ),
  openapi: text()
    .nullable()
    .default(null)
    .describe('File of an OpenAPI document whose operations are the routes. In place of `preset` and `routes`.'),
  unlisted: choice(['allow', 'refuse'])
    .default('allow')
    .describe(
      'What holds for a method and path that no route lists: `allow`, for keys that are not limited to specific events or routes, or `refuse`, for every key.',
    ),
  credential: CredentialSchema.nullable()
    .default(null)
    .meta({
      default: defaultsOf(null).credential,
      description:
        'Where keys are looked for, in order: `bearer`, `basic-username`, `header:NAME`, `query:NAME`, `body:NAME`. A member deeper in a JSON body is named by the way to it: `body:properties/token`; `[]` stands for every item of a list: `body:[]/properties/token`. A preset has the places of its vendor besides.',
    }),
  hosts: z
    .array(hostName, { error: 'must be a list of host names' })
    .default([])
    .describe('If set, this API serves only these Host names.'),
  allowFrom: AllowFromSchema.default('anywhere').describe(
    'From where this API may be used, whatever the key: `anywhere`, or a list of addresses and ranges, each with an optional description.',
  ),
  denyFrom: AddressEntriesSchema.default([]).describe(
    'From where this API may not be used, whatever the key; stronger than `allowFrom`.',
  ),
  authorization: AuthorizationSchema.default('strip').describe(
    "What the backend gets where the caller's credential stood: nothing (`strip`), what the client sent (`pass`), or this text, such as `Bearer ${UPSTREAM_KEY}`, which is also the `Authorization` of requests whose credential stood nowhere else. Or one of these for each place, such as `{ basic-username: Basic ..., query:writeKey: ... }`; a place that is not named gets nothing.",
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
  keepAliveSeconds: duration(0, 300)
    .default(4)
    .describe(
      "How long an idle connection to the backend may be used again, or less if the backend announces less; 0: not at all. Keep it below the backend's own limit, or a request may meet a connection that is being closed.",
    ),
  tls: UpstreamTlsSchema,
  cors: CorsSchema,
  enforcement: choice(['enforce', 'report'])
    .default('enforce')
    .describe('`report` refuses nothing and shows what would be refused.'),
  token: TokenSchema.nullable()
    .default(null)
    .describe('Access tokens of this API; null: there are none. The API named `metrics` always has them.'),
  cache: CacheSchema.nullable()
    .default(null)
    .describe(
      'Memory for cached answers of this API. null: its share of what all such APIs have together, with the defaults of these fields.',
    ),
};

/** An API as it is written. What its name adds is filled in by apis-schema.ts. */
export const ApiSchema = z.strictObject(apiFields).superRefine((api, context) => {
  // One list of routes has to be the one that holds: the reader of the file must not have to guess which.
  const sources = (['preset', 'routes', 'openapi'] as const).filter((field) => api[field] !== null);
  const [first, second] = sources;
  if (first !== undefined && second !== undefined)
    context.addIssue({
      code: 'custom',
      path: [second],
      message: `cannot stand beside \`${first}\`: remove one of them`,
    });
  if ((api.maxConnectionsPerKey ?? 0) > api.maxConnections)
    context.addIssue({
      code: 'custom',
      path: ['maxConnectionsPerKey'],
      message: 'must not be larger than `maxConnections`, of which it is a share',
    });
});

export type WrittenApi = z.output<typeof ApiSchema>;
