/**
 * What the admin API takes and sends of observations.
 */
import { z } from 'zod';
import { KEY_TYPES } from '../keys/key.ts';
import { wholeInQuery } from './query-values.ts';

const instantOrNull = z.iso.datetime().nullable();

const tally = {
  requests: z.int(),
  good: z.int().describe('Let through, and answered below 400.'),
  firstSeen: z.iso.datetime(),
  lastSeen: z.iso.datetime(),
};

const Reasons = z.array(z.strictObject({ reason: z.string(), requests: z.int(), lastSeen: z.iso.datetime() }));

const routeFields = {
  api: z.string(),
  method: z.string(),
  path: z.string().describe('As it is listed; else with `:id` in the place of what looks like an identifier.'),
  listed: z.boolean(),
  ...tally,
};

const observedFields = {
  since: instantOrNull.describe('When the first request was seen; null: none was.'),
  until: instantOrNull,
  requests: z.int(),
  good: z.int(),
  addresses: z.array(z.strictObject({ address: z.string().describe('An address, a range, or `unknown`.'), ...tally })),
  routes: z.array(z.strictObject(routeFields)),
  events: z.array(z.strictObject({ name: z.string(), ...tally })),
  origins: z.array(z.strictObject({ origin: z.string(), ...tally })),
  refused: Reasons.describe('Those that were not good. `backend_404`: the backend answered so.'),
  peak: z
    .strictObject({ perSecond: z.int(), perMinute: z.int() })
    .describe('Of requests that a rate limit would have counted, good or not, by their arrival.'),
  truncated: z
    .strictObject({ addresses: z.int(), routes: z.int(), events: z.int(), origins: z.int() })
    .describe('How often something good found no room.'),
  obstacles: Reasons.describe(
    'Good requests that a stricter key could not have sent: `forms`, and `unreadable_events` that a key limited to specific events would not get through.',
  ),
};

export const Observed = z
  .strictObject(observedFields)
  .describe('What a key did, or the callers of an API that showed no known key.');

export const ObservedApi = z.strictObject({
  ...observedFields,
  routes: z.array(
    z.strictObject({
      ...routeFields,
      keys: z.array(z.string()).optional().describe('With `callers=all`: the keys that used it; "" for none.'),
    }),
  ),
});

const Because = z.array(z.strictObject({ value: z.string(), requests: z.int(), lastSeen: z.iso.datetime() }));

export const Suggestion = z
  .strictObject({
    fields: z
      .strictObject({
        type: z.enum(KEY_TYPES),
        allowedRoutes: z.array(z.string()),
        allowFrom: z.array(z.string()),
        allowedEvents: z.array(z.string()),
        allowedOrigins: z.array(z.string()),
        allowBrowsers: z.boolean().nullable(),
        rateLimit: z.strictObject({ requests: z.int(), windowSeconds: z.int() }),
      })
      .partial()
      .describe('As in a key definition.'),
    because: z.record(z.string(), Because).describe('By field, what it rests on.'),
    notSuggested: z.record(z.string(), z.string()).describe('By field, why nothing can be said of it.'),
    tooLittle: z.string().nullable().describe('Why it rests on too little to be relied on; null: it does not.'),
  })
  .describe('The narrowest key that would have refused nothing good. Nothing applies it.');

export const WhatIf = z.strictObject({
  requests: z.int().describe('Good ones that were observed.'),
  wouldRefuse: z.array(
    z.strictObject({
      reason: z.string(),
      what: z.string().describe('The address, route, origin or event, or what the requests had in common.'),
      requests: z.int(),
      lastSeen: z.iso.datetime(),
    }),
  ),
});

export const DaysQuery = z.strictObject({
  days: wholeInQuery(1, 90).optional().describe('How many days, today among them; by default all that are kept.'),
});

export const CallersQuery = DaysQuery.extend({
  callers: z
    .enum(['unknown', 'all'], { error: 'must be unknown or all' })
    .optional()
    .describe('Whose routes: `unknown`, the default, of those without a known key; `all`, also of those with one.'),
});
