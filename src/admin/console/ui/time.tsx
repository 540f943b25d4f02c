/** Times as people read them, in the zone of the browser; the exact one is in the title. */
import { useEffect, useState } from 'preact/hooks';
import { dateAndClock, exactClock } from './clock.ts';

const DAY_MS = 86_400_000;

/** The time of day, with the date where it is not of today. */
export function Moment({ at }: { readonly at: string }) {
  const then = new Date(at);
  const today = Date.now() - then.getTime() < DAY_MS && then.getDate() === new Date().getDate();
  return (
    <time dateTime={at} title={at}>
      {(today ? exactClock : dateAndClock).format(then)}
    </time>
  );
}

const STEPS = [
  [60, 'second'],
  [60, 'minute'],
  [24, 'hour'],
  [365, 'day'],
] as const;

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** Such as "3 minutes ago". */
export function agoText(at: string, now: number): string {
  let amount = (Date.parse(at) - now) / 1000;
  // Clocks differ a little: what has just been is not in the future.
  if (amount > 0 && amount < 60) amount = 0;
  for (const [size, unit] of STEPS) {
    if (Math.abs(amount) < size) return relative.format(Math.round(amount), unit);
    amount /= size;
  }
  return relative.format(Math.round(amount), 'year');
}

export function Ago({ at }: { readonly at: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={at} title={at}>
      {agoText(at, now)}
    </time>
  );
}
