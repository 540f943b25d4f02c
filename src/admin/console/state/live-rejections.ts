/**
 * The latest refusals, as they come. The stream replays nothing: whenever it is opened, also again, the list is read once
 * more, and what came meanwhile is joined to it.
 */
import { useEffect, useState } from 'preact/hooks';
import { readRejections } from '../api/requests.ts';
import type { Failure } from '../api/client.ts';
import type { Rejection } from '../api/types.ts';
import { returns } from './connection.ts';
import { session } from './session.ts';

/** As many as the server keeps. */
const KEPT = 1000;
const RETRY_MS = 3000;

export interface LiveRejections {
  /** Newest first; null until they are read. */
  readonly rejections: readonly Rejection[] | null;
  readonly failure: Failure | null;
  readonly live: boolean;
}

export function useLiveRejections(onRejection: () => void): LiveRejections {
  const [state, setState] = useState<LiveRejections>({ rejections: null, failure: null, live: false });
  useEffect(() => {
    let stream: EventSource | null = null;
    let came: Rejection[] = [];
    let closed = false;
    let retry: ReturnType<typeof setTimeout> | undefined;

    const open = (): void => {
      clearTimeout(retry);
      stream?.close();
      came = [];
      stream = new EventSource('./api/rejections/stream');
      stream.addEventListener('open', () => void readList());
      stream.addEventListener('message', ({ data }) => {
        const rejection = JSON.parse(String(data)) as Rejection;
        came.push(rejection);
        setState((before) =>
          before.rejections === null
            ? before
            : { ...before, rejections: [rejection, ...before.rejections].slice(0, KEPT) },
        );
        onRejection();
      });
      stream.addEventListener('error', () => {
        setState((before) => ({ ...before, live: false }));
        // Tells a lost connection and an ended session from a stream that merely ended.
        void readList();
        // The browser tries again by itself, except when the answer was no stream.
        if (stream?.readyState === EventSource.CLOSED)
          retry = setTimeout(() => session.get() === 'open' && open(), RETRY_MS);
      });
    };

    const readList = async (): Promise<void> => {
      const answer = await readRejections();
      if (closed) return;
      setState((before) =>
        answer.ok
          ? {
              rejections: joined(came, answer.value.rejections),
              failure: null,
              live: stream?.readyState === EventSource.OPEN,
            }
          : { ...before, failure: answer.failure },
      );
    };

    open();
    const stop = [returns.subscribe(open), session.subscribe((now) => now === 'open' && open())];
    return () => {
      closed = true;
      clearTimeout(retry);
      stream?.close();
      for (const unsubscribe of stop) unsubscribe();
    };
  }, []);
  return state;
}

/** Those that came over the stream before the list did are in both. */
function joined(came: readonly Rejection[], list: readonly Rejection[]): Rejection[] {
  const keyOf = ({ requestId, time, reason, path }: Rejection): string => `${requestId} ${time} ${reason} ${path}`;
  const listed = new Set(list.map(keyOf));
  return [...came.filter((rejection) => !listed.has(keyOf(rejection))).toReversed(), ...list].slice(0, KEPT);
}
