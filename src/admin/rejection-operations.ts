/**
 * What was refused lately, over the admin API: the list, the counts by minute, and a live stream of server-sent events.
 * Shows what the log shows, and decides nothing.
 */
import type { RecentRejections } from '../observability/recent-rejections.ts';
import { MINUTES_OF_HOUR, type Summary } from '../observability/summary.ts';
import { readInput, unchanged, type Answer, type Call, type Operation } from './operation.ts';
import type { RejectionStreams } from './rejection-streams.ts';
import { RejectionQuery, RejectionStreamQuery, SummaryQuery } from './rejection-schemas.ts';

export interface RejectionPorts {
  readonly recent: RecentRejections;
  readonly summary: Pick<Summary, 'read' | 'version'>;
  readonly streams: RejectionStreams;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function rejectionOperations({ recent, summary, streams, now }: RejectionPorts): Operation[] {
  const list = ({ query }: Call): Answer => {
    const read = readInput(RejectionQuery, query);
    if (!read.ok) return read.problem;
    const { limit, ...filter } = read.value;
    return { status: 200, body: { rejections: recent.list(filter, limit === undefined ? undefined : Number(limit)) } };
  };

  // Tags of another process must not be taken for this one's.
  const run = now().toString(36);
  const summarise = (call: Call): Answer => {
    const read = readInput(SummaryQuery, call.query);
    if (!read.ok) return read.problem;
    const minutes = Number(read.value.minutes ?? MINUTES_OF_HOUR);
    const tag = `"${run}-${minutes}-${summary.version(now())}"`;
    return unchanged(call, tag) ?? { status: 200, body: summary.read(now(), minutes), tag };
  };

  return [
    {
      method: 'GET',
      path: '/api/rejections',
      operationId: 'listRejections',
      access: 'viewer',
      query: RejectionQuery,
      summary: 'The latest refusals, newest first.',
      success: { status: 200, schema: 'RejectionList' },
      problems: ['invalid_request'],
      handle: list,
    },
    {
      method: 'GET',
      path: '/api/rejections/stream',
      operationId: 'streamRejections',
      access: 'viewer',
      summary: 'Each refusal as it comes: a server-sent event whose data is a rejection.',
      query: RejectionStreamQuery,
      success: { status: 200, schema: 'text/event-stream' },
      problems: ['invalid_request', 'too_many_followers'],
      stream(call, _request, reply) {
        const read = readInput(RejectionStreamQuery, call.query);
        return read.ok ? streams.open(read.value, call.caller, reply) : read.problem;
      },
    },
    {
      method: 'GET',
      path: '/api/summary',
      operationId: 'getSummary',
      access: 'viewer',
      query: SummaryQuery,
      problems: ['invalid_request'],
      summary: 'What came, what was refused of it, and what is refused most; report mode apart.',
      success: { status: 200, schema: 'Summary' },
      handle: summarise,
    },
  ];
}
