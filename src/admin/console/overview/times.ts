/** Which stretch of time the numbers of the overview are about, in words, and whether they grow. Times are those of the browser's zone. */
import type { Mode, Summary } from '../api/types.ts';
import { clock } from '../ui/clock.ts';

const MINUTE_MS = 60_000;

const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** Such as `21:18`, with the date where it is not the one of `now`. */
export function momentText(at: string, now: string): string {
  const then = new Date(at);
  const sameDay = then.toDateString() === new Date(now).toDateString();
  return sameDay ? clock.format(then) : `${day.format(then)}, ${clock.format(then)}`;
}

/** Such as `21:18` or `21:18 to 21:22`. */
export function spanText(from: string, to: string, now: string): string {
  const [first, last] = [momentText(from, now), momentText(to, now)];
  return first === last ? first : `${first} to ${last}`;
}

/** Such as `UTC+1` or `UTC-3:30`; `minutesBehind` as JavaScript has it: negative to the east of Greenwich. */
export function zoneName(minutesBehind: number): string {
  if (minutesBehind === 0) return 'UTC';
  const minutes = Math.abs(minutesBehind);
  const rest = minutes % 60 === 0 ? '' : `:${String(minutes % 60).padStart(2, '0')}`;
  return `UTC${minutesBehind < 0 ? '+' : '-'}${Math.floor(minutes / 60)}${rest}`;
}

/** Such as `3 minutes`, `2 hours`. */
export function lengthText(ms: number): string {
  const minutes = Math.round(ms / MINUTE_MS);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 120) return minutes === 1 ? '1 minute' : `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}

const rangeOf = ({ stepMinutes, minutes }: Summary): number => stepMinutes * minutes.length;

/** Whether the process is younger than the range that was asked for. */
export const isYoung = (summary: Summary): boolean =>
  Date.parse(summary.now) - Date.parse(summary.since) < rangeOf(summary) * MINUTE_MS;

/** The stretch that is counted: the range, or less where the process is younger. */
export function stretchText(summary: Summary): string {
  const range = rangeOf(summary);
  if (isYoung(summary)) return `since the start at ${momentText(summary.since, summary.now)}`;
  return range === 60 ? 'in the last hour' : `in the last ${range / 60} hours`;
}

/** No fewer steps are drawn. */
const LEAST_STEPS = 15;

/** Without those before the process began, so that its first hour is not an empty chart. */
export function stepsSinceStart({ since, stepMinutes, minutes }: Summary): Summary['minutes'] {
  const begins = Date.parse(since) - stepMinutes * MINUTE_MS;
  const first = minutes.findIndex(({ time }) => Date.parse(time) > begins);
  return minutes.slice(Math.min(first === -1 ? 0 : first, Math.max(0, minutes.length - LEAST_STEPS)));
}

export type Direction = 'growing' | 'steady' | 'falling' | 'early' | 'none';

export interface Trend {
  readonly direction: Direction;
  /** Refusals in a minute: lately, and in the time before that. */
  readonly lately: number;
  readonly before: number;
  /** How long lately is. */
  readonly minutes: number;
}

const LATE_STEPS = 3;
const EARLIER_STEPS = 9;

/**
 * The last whole steps against those before them; of a young process the last one alone. The running one counts where it already has
 * more than those: it can only grow.
 */
export function trendOf(summary: Summary, mode: Mode): Trend {
  const rateOf = (step: Summary['minutes'][number]): number => step[mode].total / summary.stepMinutes;
  const steps = stepsSinceStart(summary);
  const running = steps.slice(-1).map(rateOf)[0] ?? 0;
  // The step in which the process began is no whole one: beside it everything would seem to grow.
  const whole = steps
    .slice(0, -1)
    .filter(({ time }) => Date.parse(time) >= Date.parse(summary.since))
    .map(rateOf);
  const late = Math.max(1, Math.min(LATE_STEPS, Math.floor(whole.length / 2)));
  const earlier = whole.slice(0, -late).slice(-EARLIER_STEPS);
  const lately = Math.max(running, mean(whole.slice(-late)));
  const before = mean(earlier);
  return {
    lately,
    before,
    minutes: late * summary.stepMinutes,
    // What came in the step of the start is not lately, nor is it nothing.
    direction:
      whole.length === 0 && steps.some((step) => rateOf(step) > 0)
        ? 'early'
        : directionOf(lately, before, earlier.length > 0),
  };
}

function directionOf(lately: number, before: number, isKnown: boolean): Direction {
  if (lately === 0 && before === 0) return 'none';
  if (!isKnown) return 'early';
  if (lately > 1.5 * before) return 'growing';
  return lately < before / 1.5 ? 'falling' : 'steady';
}

const mean = (numbers: readonly number[]): number =>
  numbers.length === 0 ? 0 : numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
