/**
 * What can be said of a route of an API in postern.yaml. Descriptions and defaults stand here once; what makes a list of routes
 * usable is said in route-definition.ts.
 */
import { z } from 'zod';
import { overridesMethod } from '../lib/method-override.ts';
import { foldParameterName } from '../lib/query.ts';
import { routeConflicts } from './route-conflicts.ts';
import { findRouteProblems } from './route-definition.ts';
import { choice, duration, text, upstreamUrl, whole } from './values.ts';

const flag = z.boolean({ error: 'must be true or false' });

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

const PARAMETER_FORM =
  'must be the name of a parameter, of letters, digits and _ . $ ~ -, or a name with its one value (v=2)';

const QueryNamesSchema = z
  .array(
    z.string({ error: PARAMETER_FORM }).regex(/^[A-Za-z0-9_.$~-]+(?:=[A-Za-z0-9_.~-]+)?$/, { error: PARAMETER_FORM }),
    { error: 'must be a list of names, such as [ip, ver]' },
  )
  .superRefine((entries, context) => {
    const names = entries.map((entry) => foldParameterName(entry.split('=', 1)[0] as string));
    const isTwin = (entry: string, earlier: string, sameName: boolean): boolean =>
      sameName && (entry === earlier || !entry.includes('=') || !earlier.includes('='));
    entries.forEach((entry, index) => {
      const message = overridesMethod(`?${entry}`)
        ? 'must not be _method or the like: it stands for another method, which such a key may not use'
        : entries.slice(0, index).some((earlier, at) => isTwin(entry, earlier, names[at] === names[index]))
          ? 'is listed twice; letter case does not matter'
          : null;
      if (message !== null) context.addIssue({ code: 'custom', path: [index], message });
    });
  });

const SELECTORS = 'must be a selector, such as "events[].name", or a list of them';

const kinds = z.array(text(), { error: 'must be a list of kinds, such as [track]' });

const KindsSchema = z
  .strictObject({
    member: text().describe('The member of an event, or of a batch item, that says what kind of item it is.'),
    is: kinds.min(1, { error: 'must hold at least one kind' }).describe('Kinds of items that carry an event.'),
    pass: kinds
      .default([])
      .describe('Kinds of items that carry none, and pass. All other items are treated as disallowed events.'),
  })
  .describe('Which items carry an event; without it all do.');

const FIELD_FORM = 'must be the name of a form field, of letters, digits and _ . ~ -';

const RouteSchema = z.strictObject({
  method: choice(METHODS).describe('The method of the route.'),
  path: text().describe(
    'The path; a segment that starts with `:` stands for any one segment, a last segment `**` for one or more. Letter case and one trailing slash do not matter.',
  ),
  events: z
    .union([text(), z.array(text(), { error: SELECTORS }).min(1, { error: 'must hold at least one selector' })], {
      error: SELECTORS,
    })
    .optional()
    .describe(
      'Where the body names its events: `name` (one event), `events[].name` (a batch), `[].event` (a top-level array), up to three levels above the name (`payload.name`, `resource[].spans[].name`); of a list exactly one has to fit. Without it the route carries no events.',
    ),
  unnamed: choice(['disallow', 'allow'])
    .default('disallow')
    .describe('What holds for batch items that have no event name, for keys limited to specific events.'),
  when: KindsSchema.optional(),
  form: z
    .string({ error: FIELD_FORM })
    .regex(/^[A-Za-z0-9_.~-]+$/, { error: FIELD_FORM })
    .optional()
    .describe(
      'The body may also be a form (`application/x-www-form-urlencoded`) with exactly one such field, which holds the JSON or its base64. Where events are judged, it may have no other fields than those under `query`.',
    ),
  gzip: z
    .boolean({ error: 'must be true or false' })
    .default(false)
    .describe('A body without `Content-Encoding` that begins as gzip does is looked into, and goes on compressed.'),
  query: QueryNamesSchema.default([]).describe(
    'The query parameters that keys limited to specific events may send with events, each once (`v=2`: with this value alone); any other is refused, since a backend may read events there. List none that can hold events.',
  ),
  forms: flag
    .default(false)
    .describe(
      'The backend reads no method from forms (`_method`): keys that may not use every method may send them here. Elsewhere they are refused.',
    ),
  rewrite: text()
    .optional()
    .describe('The path that the backend is sent instead; may use the parameters of `path`, and `**` as it does.'),
  public: flag
    .default(false)
    .describe('Needs no credential: a health check, a file for everybody. What a key may do is not asked here.'),
  pages: flag
    .default(false)
    .describe('May be read (GET, HEAD) with a write-only key: what a web page with such a key must fetch.'),
  cacheMinutes: whole(1, 525_600)
    .nullable()
    .default(null)
    .describe('How long answers are kept, for each key by itself, for GET, HEAD and POST; null: not at all.'),
  maxBodyBytes: whole(1, 1_073_741_824).nullable().default(null).describe("In place of the API's `maxBodyBytes`."),
  timeoutSeconds: duration(0.01, 3600).nullable().default(null).describe("In place of the API's `timeoutSeconds`."),
  idleTimeoutSeconds: duration(0.01, 3600)
    .nullable()
    .default(null)
    .describe("In place of the API's `idleTimeoutSeconds`."),
  upstream: upstreamUrl.nullable().default(null).describe("In place of the API's `upstream`."),
});

/** What routes have to be is said in route-definition.ts; here it becomes findings. */
export const RoutesSchema = z
  .array(RouteSchema, { error: 'must be a list of routes' })
  .superRefine((routes, context) => {
    for (const { index, why } of findRouteProblems(routes))
      context.addIssue({ code: 'custom', path: [index], message: `is not usable: ${why}` });
    routes.forEach((route, index) => {
      for (const { field, why } of routeConflicts(route))
        context.addIssue({ code: 'custom', path: [index, field], message: why });
      if (route.events !== undefined) return;
      for (const field of ['unnamed', 'when', 'query'] as const)
        if (isSaid(route, field))
          context.addIssue({
            code: 'custom',
            path: [index, field],
            message: 'means nothing without `events`; add `events` or remove it',
          });
    });
  });

/** A valid route with every default filled in. */
export type ParsedRoute = z.output<typeof RoutesSchema>[number];

const isSaid = (route: z.output<typeof RouteSchema>, field: 'unnamed' | 'when' | 'query'): boolean =>
  field === 'query' ? route.query.length > 0 : field === 'when' ? route.when !== undefined : route.unnamed === 'allow';
