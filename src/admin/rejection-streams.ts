/**
 * Live streams of refusals as server-sent events (WHATWG HTML 9.2). A stream ends when its reader is too slow, when its token
 * or session does, and before the port closes. Nothing is replayed: whoever reconnects reads the list again. Events are written a few
 * times a second together: a write for each would cost the requests that it tells of.
 */
import type { FastifyReply } from 'fastify';
import { isWanted, type RecentRejections, type RejectionFilter } from '../observability/recent-rejections.ts';
import type { Rejection } from '../observability/outcome.ts';
import type { Caller } from './operation.ts';
import { problem, type AdminProblem } from './problem.ts';

export interface RejectionStreams {
  /** Begins a stream in place of an answer, or says why not. */
  readonly open: (filter: RejectionFilter, caller: Caller, reply: FastifyReply) => AdminProblem | null;
  /** Ends those whose reader may not read any more. */
  readonly endInvalid: () => void;
  /** Ends all of them. */
  readonly close: () => void;
}

export interface StreamPorts {
  readonly recent: Pick<RecentRejections, 'follow'>;
  /** Whether the caller may still read; asked with each heartbeat. */
  readonly isValid: (caller: Caller) => boolean;
  readonly heartbeatMs?: number;
  /** How long an event may wait for others. */
  readonly gatherMs?: number;
}

/** Proxies close what is silent for a minute or less. */
const HEARTBEAT_MS = 15_000;
const RECONNECT_MS = 2000;
const GATHER_MS = 200;
/** Then they are written, however little time has passed. */
const MAX_GATHERED = 500;
/** What may wait for a reader before it counts as too slow. */
const MAX_WAITING_BYTES = 256 * 1024;

export function createRejectionStreams(ports: StreamPorts): RejectionStreams {
  const { recent, isValid, heartbeatMs = HEARTBEAT_MS, gatherMs = GATHER_MS } = ports;
  /** How each ends, and whose it is. */
  const open = new Map<() => void, Caller>();
  return {
    open(filter, caller, reply) {
      const { raw } = reply;
      let gathered: Rejection[] = [];
      let due: ReturnType<typeof setTimeout> | undefined;
      const write = (): void => {
        clearTimeout(due);
        due = undefined;
        raw.write(gathered.map((rejection) => `data: ${JSON.stringify(rejection)}\n\n`).join(''));
        gathered = [];
      };
      const stop = recent.follow({
        send(rejection) {
          if (raw.writableLength > MAX_WAITING_BYTES) return false;
          if (!isWanted(rejection, filter)) return true;
          gathered.push(rejection);
          if (gathered.length >= MAX_GATHERED) write();
          else due ??= setTimeout(write, gatherMs).unref();
          return true;
        },
        dropped: () => end(),
      });
      if (stop === null)
        return problem('too_many_followers', 'Too many streams are open. Close one, or try again later.');
      const heartbeat = setInterval(() => {
        if (isValid(caller)) raw.write(':\n\n');
        else end();
      }, heartbeatMs).unref();
      const end = (): void => {
        if (!open.delete(end)) return;
        clearInterval(heartbeat);
        clearTimeout(due);
        stop();
        // A reader that takes nothing would never let the response end.
        if (raw.writableLength > 0) raw.destroy();
        else raw.end();
      };
      open.set(end, caller);
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) raw.setHeader(name, value);
      // A proxy that compresses or gathers would hold events back.
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
      });
      raw.write(`retry: ${RECONNECT_MS}\n\n`);
      raw.on('close', end);
      return null;
    },
    endInvalid() {
      for (const [end, caller] of open) if (!isValid(caller)) end();
    },
    close: () => {
      for (const end of open.keys()) end();
    },
  };
}
