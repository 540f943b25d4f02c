/** The traffic of one key, taken from the counts of all. */
import type { Summary } from '../api/types.ts';

export interface KeyMinute {
  /** When it began, RFC 3339. */
  readonly time: string;
  readonly refused: number;
  readonly wouldRefuse: number;
}

export interface Traffic {
  readonly minutes: readonly KeyMinute[];
  readonly requests: number;
  readonly refused: number;
  readonly wouldRefuse: number;
}

export function trafficOf({ minutes, requests }: Pick<Summary, 'minutes' | 'requests'>, id: string): Traffic {
  const own = minutes.map(({ time, enforce, report }) => ({
    time,
    refused: enforce.byKey[id] ?? 0,
    wouldRefuse: report.byKey[id] ?? 0,
  }));
  const sum = (of: (minute: KeyMinute) => number): number => own.reduce((total, minute) => total + of(minute), 0);
  const refused = sum((minute) => minute.refused);
  const wouldRefuse = sum((minute) => minute.wouldRefuse);
  // One that was refused is a request, even where the counts were read a moment apart.
  return { minutes: own, refused, wouldRefuse, requests: Math.max(requests.byKey[id] ?? 0, refused, wouldRefuse) };
}
