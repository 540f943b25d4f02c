/** How times of day and dates are written, in the zone of the browser. Never with an hour 24. */

// `hour12: false` calls the first hour of the day 24 in some languages, English among them.
const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;

/** Such as `21:18`. */
export const clock = new Intl.DateTimeFormat(undefined, CLOCK);

/** Such as `21:18:07`. */
export const exactClock = new Intl.DateTimeFormat(undefined, { ...CLOCK, second: '2-digit' });

/** Such as `29 Nov 2026, 21:18`. */
export const dateAndClock = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'short',
  hourCycle: 'h23',
});

/** A sentence of the server's with its instants (RFC 3339, UTC) as people here read them. */
export const inLocalTime = (sentence: string): string =>
  sentence.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (instant) =>
    dateAndClock.format(new Date(instant)),
  );
