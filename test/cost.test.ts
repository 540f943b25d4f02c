/**
 * What a stranger sends costs what it weighs. Times are compared within one run, by processor time and with a wide margin: what
 * grows with the square of its size, or costs a string for each few bytes, is far beyond it.
 */
import t from 'tap';
import { parseSelector, type EventSelector } from '../src/config/selector.ts';
import { compileEventFilter } from '../src/event-filter/filter.ts';
import { compileMemberSearch } from '../src/event-filter/member-value.ts';
import { COSTLY_BODIES, ORDINARY_BODY, type CostlyBody } from './support/costly-bodies.ts';
import { HEADER_BYTES, PARSER_COSTS } from './support/cost-corpus.ts';

/** What is measured beside other processes is measured again: what costs too much does so each time. */
const MEASUREMENTS = 4;

/** The first measurement that is within its limit, else the last. */
function measured<T>(measure: () => T, isWithin: (found: T) => boolean): T {
  let found = measure();
  for (let i = 1; i < MEASUREMENTS && !isWithin(found); i++) found = measure();
  return found;
}

/** Milliseconds of processor time, the least of some runs. */
function costOf(run: () => unknown, runs = 5): number {
  let least = Infinity;
  for (let i = 0; i < runs; i++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

void t.test('each parser takes about four times as long for four times as much', async (t) => {
  for (const { name, prepare } of PARSER_COSTS) {
    // Below half a millisecond it is the clock that is measured.
    const isWithin = ([quarter, whole]: readonly [number, number]): boolean => whole <= 9 * Math.max(quarter, 0.5);
    const measure = () => [costOf(prepare(HEADER_BYTES / 4)), costOf(prepare(HEADER_BYTES))] as const;
    const [quarter, whole] = measured(measure, isWithin);
    t.ok(isWithin([quarter, whole]), `${name}: ${quarter} ms for a quarter, ${whole} ms for the whole`);
  }
});

const BODY_BYTES = 256 * 1024;

const filterOf = (text: string) =>
  compileEventFilter({
    selectors: [parseSelector(text) as EventSelector],
    allowed: new Set(['login', 'view']),
    onDisallowed: 'remove',
    unnamed: 'disallow',
  });

void t.test('no body takes many times as long as an ordinary one of its size', async (t) => {
  const filters = { single: filterOf('name'), batch: filterOf('events[].name') };
  const search = compileMemberSearch('name');
  const read = ({ form, make }: CostlyBody): number => {
    const body = make(BODY_BYTES);
    return costOf(() => [filters[form](body), search(body)]);
  };
  read(ORDINARY_BODY);
  const ordinary = Math.max(read(ORDINARY_BODY), 1);
  for (const body of COSTLY_BODIES) {
    const cost = measured(
      () => read(body),
      (found) => found <= 12 * ordinary,
    );
    t.ok(cost <= 12 * ordinary, `${body.name}: ${cost} ms, an ordinary body ${ordinary} ms`);
  }
});
