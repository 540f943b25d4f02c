/**
 * Answers queries from memory while an answer is fresh, and asks the backend once for all who ask the same meanwhile. Whoever
 * gets here may see the answer: access was decided before. Says in `Cache-Status` (RFC 9211) what it did.
 */
import { createSingleFlight } from '../lib/single-flight.ts';
import type { Flight } from '../upstream/dispatch.ts';
import { cacheKeysOf } from './cache-key.ts';
import { CacheLookup, type LookupContext } from './lookup.ts';
import type { CacheContext, CacheQuery, CacheSink } from './query.ts';

export interface ResponseCache {
  /**
   * Answers a query, a fresh entry before it returns (if the store answers at once). `abort` when the client went away:
   * nothing is called after it, and others who wait for the same answer are not touched.
   */
  readonly fetch: (query: CacheQuery, sink: CacheSink) => Flight;
  /** Answers under way are not kept any more. */
  readonly detach: () => void;
}

export function createResponseCache(context: CacheContext): ResponseCache {
  const lookups: LookupContext = {
    ...context,
    flights: createSingleFlight(),
    keyOf: cacheKeysOf(context.settings.scope),
  };
  return {
    fetch(query, sink) {
      const lookup = new CacheLookup(lookups, query, sink);
      lookup.begin();
      return lookup;
    },
    detach: () => lookups.flights.detachAll(),
  };
}
