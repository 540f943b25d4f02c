/**
 * One call for many who ask for the same thing at the same time. The call belongs to all who wait for it: it is aborted when
 * the last of them has left, and never because one did. Keeps no results.
 */

/** Work under way. `abort` may come after the result, and then does nothing. */
export interface Call<T> {
  readonly result: Promise<T>;
  readonly abort: () => void;
}

/** One participant's share in a flight. */
export interface Boarding<T> {
  /** Whether this participant's own `start` was the one called. */
  readonly leads: boolean;
  readonly result: Promise<T>;
  /** Gives up the share. When nobody is left, the call is aborted. */
  readonly leave: () => void;
}

/** Told to the work: whether no later flight for the same key has begun, so that an old result never replaces a newer one. */
export type IsLatest = () => boolean;

export interface SingleFlight<T> {
  /** Joins the flight under way for `key`, or starts one. */
  readonly join: (key: string, start: (isLatest: IsLatest) => Call<T>) => Boarding<T>;
  /** Starts a flight whatever is under way; those who come later join this one. */
  readonly lead: (key: string, start: (isLatest: IsLatest) => Call<T>) => Boarding<T>;
  /**
   * Lets go of all flights: none counts as the latest from now on, and none can be joined. Those who wait still get their result.
   */
  readonly detachAll: () => void;
}

interface Flight<T> {
  readonly key: string;
  call: Call<T> | null;
  participants: number;
}

export function createSingleFlight<T>(): SingleFlight<T> {
  const latest = new Map<string, Flight<T>>();

  const end = (flight: Flight<T>): void => {
    if (latest.get(flight.key) === flight) latest.delete(flight.key);
  };

  const lead: SingleFlight<T>['lead'] = (key, start) => {
    const flight: Flight<T> = { key, call: null, participants: 0 };
    latest.set(key, flight);
    const call = start(() => latest.get(key) === flight);
    flight.call = call;
    const onEnd = (): void => end(flight);
    call.result.then(onEnd, onEnd);
    return board(flight, call, true);
  };

  const board = (flight: Flight<T>, call: Call<T>, leads: boolean): Boarding<T> => {
    let aboard = true;
    flight.participants++;
    return {
      leads,
      result: call.result,
      leave() {
        if (!aboard) return;
        aboard = false;
        if (--flight.participants > 0) return;
        end(flight);
        call.abort();
      },
    };
  };

  return {
    lead,
    join(key, start) {
      const flight = latest.get(key);
      return flight === undefined || flight.call === null ? lead(key, start) : board(flight, flight.call, false);
    },
    detachAll: () => latest.clear(),
  };
}
