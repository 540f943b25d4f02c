/**
 * The latest refusals, as they come. The stream replays nothing: whenever it is opened, also again, the list is read once more, and
 * what came meanwhile is joined to it. However many come, the page is told a few times a second at most, and as many are kept of each
 * kind as the server keeps.
 */
import { useEffect, useState } from 'preact/hooks';
import { createRecentRejections, type RecentRejections } from '../../../observability/recent-rejections.ts';
import { readRejections } from '../api/requests.ts';
import type { Failure } from '../api/client.ts';
import type { Rejection } from '../api/types.ts';
import { returns } from './connection.ts';
import { session } from './session.ts';

const RETRY_MS = 3000;
/** Between two drawings of what came. */
const DRAW_MS = 500;
/** Of those that come while the list is read. */
const MAX_WAITING = 2000;

export interface LiveRejections {
  /** Null until they are read. Changes in place: `drawn` tells when. */
  readonly kept: Pick<RecentRejections, 'list'> | null;
  readonly drawn: number;
  readonly failure: Failure | null;
  readonly live: boolean;
}

export function useLiveRejections(): LiveRejections {
  const [state, setState] = useState<LiveRejections>({ kept: null, drawn: 0, failure: null, live: false });
  useEffect(() => {
    const follower = follow((change) => setState((before) => ({ ...before, ...change, drawn: before.drawn + 1 })));
    const stop = [returns.subscribe(follower.open), session.subscribe((now) => now === 'open' && follower.open())];
    return () => {
      follower.close();
      for (const unsubscribe of stop) unsubscribe();
    };
  }, []);
  return state;
}

/** Follows the stream, and tells what has changed. */
function follow(tell: (change: Partial<LiveRejections>) => void) {
  let stream: EventSource | null = null;
  let kept: RecentRejections | null = null;
  /** What came while the list is read; null: it has been read. */
  let waiting: Rejection[] | null = [];
  let closed = false;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let draw: ReturnType<typeof setTimeout> | undefined;

  const take = (rejection: Rejection): void => {
    if (waiting !== null) {
      if (waiting.length < MAX_WAITING) waiting.push(rejection);
      return;
    }
    kept?.add(rejection as Kept);
    draw ??= setTimeout(() => {
      draw = undefined;
      tell({});
    }, DRAW_MS);
  };

  const readList = async (): Promise<void> => {
    const answer = await readRejections({ limit: String(MOST_READ) });
    if (closed) return;
    if (!answer.ok) {
      tell({ failure: answer.failure });
      return;
    }
    const read = createRecentRejections();
    for (const rejection of joined(waiting ?? [], answer.value.rejections)) read.add(rejection as Kept);
    kept = read;
    waiting = null;
    tell({ kept: read, failure: null, live: stream?.readyState === EventSource.OPEN });
  };

  const open = (): void => {
    clearTimeout(retry);
    stream?.close();
    waiting = [];
    stream = new EventSource('./api/rejections/stream');
    stream.addEventListener('open', () => {
      waiting = [];
      void readList();
    });
    stream.addEventListener('message', ({ data }) => take(JSON.parse(String(data)) as Rejection));
    stream.addEventListener('error', () => {
      tell({ live: false });
      // Tells a lost connection and an ended session from a stream that merely ended.
      void readList();
      // The browser tries again by itself, except when the answer was no stream.
      if (stream?.readyState === EventSource.CLOSED)
        retry = setTimeout(() => session.get() === 'open' && open(), RETRY_MS);
    });
  };

  open();
  return {
    open,
    close: () => {
      closed = true;
      clearTimeout(retry);
      clearTimeout(draw);
      stream?.close();
    },
  };
}

/** Where very many keys are refused, those of the longest ago are left out. */
const MOST_READ = 10_000;

/** Its reasons and levels are those of the schema, which the types of the process name one by one. */
type Kept = Parameters<RecentRejections['add']>[0];

/** The oldest first. Those that came over the stream before the list did are in both. */
function joined(came: readonly Rejection[], list: readonly Rejection[]): Rejection[] {
  const keyOf = ({ requestId, time, reason, path }: Rejection): string => `${requestId} ${time} ${reason} ${path}`;
  const listed = new Set(came.length === 0 ? [] : list.map(keyOf));
  return [...list.toReversed(), ...came.filter((rejection) => !listed.has(keyOf(rejection)))];
}
