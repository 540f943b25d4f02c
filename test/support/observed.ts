/** Requests as they are counted, for tests of observations. */
import type { Seen } from '../../src/observe/day-counts.ts';
import type { Subject } from '../../src/observe/observations.ts';
import { parseAddress } from '../../src/lib/address.ts';

/** The caller that most of these tests count for. */
export const WEB: Subject = { kind: 'key', name: 'web' };

export interface SeenOptions extends Partial<Omit<Seen, 'at' | 'address' | 'events'>> {
  /** As text. */
  readonly address?: string;
  /** Passed. */
  readonly event?: string;
}

/** A good request of one listed route, if nothing else is said. */
export function seenAt(at: number, { address = '198.51.100.1', event, ...more }: SeenOptions = {}): Seen {
  return {
    at,
    good: true,
    reason: '',
    paced: more.good ?? true,
    address: parseAddress(address) ?? '',
    route: 'integration listed POST /event/ingest',
    origin: null,
    events: event === undefined ? null : { passed: [event], removed: [] },
    obstacle: null,
    ...more,
  };
}
