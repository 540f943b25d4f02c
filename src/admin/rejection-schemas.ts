/** What the admin API takes and sends about refusals: the list, the stream and the summary. */
import { z } from 'zod';
import { MAX_TEXT } from './bounds.ts';
import { wholeInQuery } from './query-values.ts';

export const Rejection = z
  .strictObject({
    level: z.enum(['info', 'warn']),
    time: z.iso.datetime(),
    msg: z.enum(['rejected', 'would_reject']),
    requestId: z.string(),
    api: z.string().describe('Its name. Empty when it was refused before one was chosen.'),
    keyId: z.string().describe('Empty when no key was recognised.'),
    reason: z.string(),
    status: z.int().describe('What the client received, also in report mode.'),
    clientIp: z.string(),
    method: z.string(),
    path: z.string(),
    removedEvents: z.int(),
    mode: z.enum(['enforce', 'report']),
    rule: z.string().optional().describe('What decided, where a rule did that has a name.'),
    events: z
      .array(z.string())
      .optional()
      .describe('Up to five names of events that were refused or removed, of at most 64 characters.'),
    userAgent: z.string().optional().describe('At most 128 characters.'),
    traceId: z.string().optional().describe('The trace that the request belongs to (W3C Trace Context).'),
    aborted: z.literal(true).optional().describe('The answer was cut off after it had begun.'),
  })
  .describe('The fields of the log line.');

export const RejectionList = z.strictObject({ rejections: z.array(Rejection).describe('Newest first.') });

const once = z.string({ error: 'must be given once' }).max(MAX_TEXT);

export const RejectionQuery = z.strictObject({
  limit: wholeInQuery(1, 999_999)
    .optional()
    .describe('Most entries to list. The latest 1,000 are kept, and 100 of each reason, each key and of report mode.'),
  key: once.optional().describe('Only of this key; empty: of no known key.'),
  reason: once.optional().describe('Only for this reason.'),
  address: once.optional().describe('Only from this address, as it is listed.'),
  path: once.optional().describe('Only for this path, as it is listed.'),
  event: once.optional().describe('Only with this event among those that were refused or removed.'),
  requestId: once.optional().describe('Only the one of this request.'),
  mode: z
    .enum(['enforce', 'report'], { error: 'must be enforce or report' })
    .optional()
    .describe('Only refusals, or only what would have been.'),
});

export const SummaryQuery = z.strictObject({
  minutes: wholeInQuery(1, 1440)
    .optional()
    .describe('How far back; 60 unless given. Above 60 in steps of ten minutes.'),
});

export const RejectionStreamQuery = RejectionQuery.omit({ limit: true });

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
