/**
 * The highest number of requests in one second and in one minute, by their arrival. Only the latest seconds and minutes are kept;
 * counts of several processes are joined second by second, so that the peak is that of all together.
 */

/** Requests end in another order than they came, so a second is kept for a while. */
const SECONDS_KEPT = 128;
const MINUTES_KEPT = 8;

export class Peaks {
  perSecond = 0;
  perMinute = 0;
  /** Requests by the number of their second, or minute, since the epoch. */
  readonly seconds = new Map<number, number>();
  readonly minutes = new Map<number, number>();

  /** Counts one request that came at `at` (milliseconds since the epoch). */
  count(at: number): void {
    const second = Math.floor(at / 1000);
    this.addSecond(second, 1);
    this.addMinute(Math.floor(second / 60), 1);
  }

  addSecond(second: number, requests: number): void {
    this.perSecond = Math.max(this.perSecond, addKept(this.seconds, second, requests, SECONDS_KEPT));
  }

  addMinute(minute: number, requests: number): void {
    this.perMinute = Math.max(this.perMinute, addKept(this.minutes, minute, requests, MINUTES_KEPT));
  }

  add(other: Peaks): void {
    this.perSecond = Math.max(this.perSecond, other.perSecond);
    this.perMinute = Math.max(this.perMinute, other.perMinute);
    for (const [second, requests] of other.seconds) this.addSecond(second, requests);
    for (const [minute, requests] of other.minutes) this.addMinute(minute, requests);
  }
}

function addKept(counts: Map<number, number>, key: number, requests: number, most: number): number {
  const known = counts.get(key);
  const sum = (known ?? 0) + requests;
  counts.set(key, sum);
  // The first key is the oldest that was added.
  if (known === undefined && counts.size > most) counts.delete(counts.keys().next().value as number);
  return sum;
}
