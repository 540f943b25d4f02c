/**
 * Holds the event filter against the oracle and the readers, for one case or for very many.
 */
import { compileEventFilter, type EventFilter, type EventRule } from '../../src/event-filter/filter.ts';
import { type EventCase, eventCaseFrom } from './event-bodies.ts';
import { expectedOutcome, namesSeen, READERS } from './event-oracle.ts';
import { readTree } from './json-entries.ts';

const TAPE_BYTES = 512;

/**
 * Runs the filter on `cases` bodies and throws at the first that is judged wrongly, with what reproduces it.
 * Returns how often each outcome came up: a run in which one never does proves little about it.
 */
export function runEventFuzz({ cases, seed = 1 }: { cases: number; seed?: number }): Map<string, number> {
  const outcomes = new Map<string, number>();
  const random = xorshift(seed);
  const tape = new Uint8Array(TAPE_BYTES);
  for (let i = 0; i < cases; i++) {
    for (let at = 0; at < TAPE_BYTES; at++) tape[at] = random() >>> 24;
    const eventCase = eventCaseFrom(tape.subarray(0, 16 + ((random() >>> 0) % (TAPE_BYTES - 16))));
    try {
      const outcome = checkCase(eventCase);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (cause) {
      throw new Error(`case ${i} of seed ${seed}: ${describe(eventCase)}`, { cause });
    }
  }
  return outcomes;
}

/** Throws when the filter's result is not what the oracle expects, or lets a reader see what is not allowed. */
export function checkCase({ rule, body }: EventCase): string {
  const before = Buffer.from(body);
  const result = filterOf(rule)(body);
  const expected = expectedOutcome(before, rule);
  must(body.equals(before), 'the filter changed the body that it was given');

  if (!result.ok) {
    const { code, why } = result.refusal;
    must(code === expected.code, `refused as ${code} (${why}), expected ${expected.code ?? 'no refusal'}`);
    const rejected = expected.code === 'event_not_allowed' ? expected.rejected : 0;
    must(result.rejected === rejected, `rejected ${result.rejected}, expected ${rejected}`);
    return code;
  }
  if (expected.code !== null) throw new Error(`let through, expected ${expected.code}`);
  must(result.forwarded === expected.forwarded, `forwarded ${result.forwarded}, expected ${expected.forwarded}`);
  must(result.removed === expected.removed, `removed ${result.removed}, expected ${expected.removed}`);
  must(result.body.equals(expected.body), `body ${JSON.stringify(result.body.toString())}`);
  must(result.cut === result.removed > 0, 'cut and removed contradict each other');
  must(result.cut || result.body === body, 'a body with nothing to cut is forwarded as it came');
  const tree = readTree(result.body);
  for (const reader of READERS)
    for (const name of namesSeen(tree, rule, reader))
      must(
        name === null ? rule.unnamed === 'allow' : rule.allowed.has(name),
        `a reader (${reader.label}) sees ${name}`,
      );
  return result.cut ? 'cut' : 'whole';
}

/** How to see a case: the rule and the body, in characters that survive a terminal. */
export function describe({ rule, body }: EventCase): string {
  const { selectors, when, onDisallowed, unnamed } = rule;
  return JSON.stringify({ selectors, when, onDisallowed, unnamed, latin1: body.toString('latin1') });
}

/** Filters are kept, as a sidecar keeps them: what one body leaves behind must not show in the next. */
const filters = new Map<string, EventFilter>();

function filterOf(rule: EventRule): EventFilter {
  const { selectors, when, onDisallowed, unnamed } = rule;
  const id = JSON.stringify([selectors, when, onDisallowed, unnamed, [...rule.allowed]]);
  let filter = filters.get(id);
  if (filter === undefined) filters.set(id, (filter = compileEventFilter(rule)));
  return filter;
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function xorshift(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}
