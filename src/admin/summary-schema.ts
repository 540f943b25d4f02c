/** What `GET /api/summary` answers with. */
import { z } from 'zod';

const Counts = z.strictObject({
  total: z.int(),
  byReason: z.record(z.string(), z.int()),
  byKey: z.record(z.string(), z.int()).describe('"" stands for callers that no key recognised.'),
});

const ByName = z.record(z.string(), z.int());

const Listed = z
  .array(
    z.strictObject({
      value: z.string(),
      count: z.int().describe('So many at least.'),
      missed: z.int().describe('So many more at most, where very many different ones came.'),
      firstSeen: z.iso.datetime(),
      lastSeen: z.iso.datetime(),
      mainReason: z.string().nullable().describe('The reason of more than half of them, if there surely is one.'),
    }),
  )
  .describe('The most frequent first.');

const Top = z.strictObject({
  reasons: Listed.describe('All of them, the most frequent first.'),
  keys: Listed,
  addresses: Listed,
  paths: Listed,
  events: Listed,
});

export const Summary = z.strictObject({
  since: z.iso.datetime().describe('When this process began to count.'),
  now: z.iso.datetime().describe("The server's time."),
  stepMinutes: z.int().describe('How long each step is: 1, or 10 where more than an hour was asked for.'),
  minutes: z
    .array(
      z.strictObject({
        time: z.iso.datetime().describe('When the step began.'),
        requests: z.int().describe('All of them, refused or not.'),
        enforce: Counts,
        report: Counts,
        upstreamErrors: ByName.describe('By kind.'),
        removedEvents: z.int().describe('Events that were cut out of bodies.'),
      }),
    )
    .describe('The oldest first, the running one last.'),
  requests: z.strictObject({ total: z.int(), byKey: ByName }).describe('All of them, refused or not.'),
  top: z.strictObject({ enforce: Top, report: Top }).describe('What is refused most, ten of each.'),
  upstreamErrors: ByName.describe('By kind.'),
  removedEvents: ByName.describe('By key.'),
});
