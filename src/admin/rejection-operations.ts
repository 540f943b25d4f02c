/**
 * What was refused lately, over the admin API: the list, the counts by minute, and a live stream of server-sent events.
 * Shows what the log shows, and decides nothing.
 */
import type { RecentRejections } from '../observability/recent-rejections.ts';
import type { Summary } from '../observability/summary.ts';
import { readInput, type Answer, type Call, type Operation } from './operation.ts';
import type { RejectionStreams } from './rejection-streams.ts';
import { RejectionQuery, RejectionStreamQuery } from './schemas.ts';

export interface RejectionPorts {
  readonly recent: RecentRejections;
  readonly summary: Pick<Summary, 'read'>;
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
      problems: [],
      summary: 'Refusals by minute for the last hour, by reason and by key; report mode apart.',
      success: { status: 200, schema: 'Summary' },
      handle: () => ({ status: 200, body: { minutes: summary.read(now()) } }),
    },
  ];
}
