/**
 * Sees changes of keys, policies and address lists that were not made here: reads the source when it has changed, and compares it with
 * what was known. A change that was made here, or that another replica has noted, is not noted again. Changes nothing in the source.
 */
import type { KeySet } from '../../keys/record-kind.ts';
import type { KeySnapshot } from '../../keys/key.ts';
import { createCoalescer } from '../../lib/coalescer.ts';
import { createLruMap } from '../../lib/lru-map.ts';
import { isoTime } from '../../observability/iso-time.ts';
import { keyOfTarget, type ChangeLog } from './change-log.ts';
import {
  actionOf,
  changedFields,
  digestOfText,
  stateOf,
  stateOfKey,
  stateOfRecord,
  textOfState,
  type State,
  type Target,
} from './change.ts';

export interface SourceWatchOptions {
  readonly log: Pick<ChangeLog, 'sync' | 'add' | 'position' | 'led'>;
  /** Who is said to have made a change that was seen. */
  readonly who: 'file' | 'redis';
  /** The keys in use; null: there are none yet. */
  readonly keys: () => Pick<KeySnapshot, 'byId' | 'invalid' | 'records'> | null;
  /** Everything that is stored now; null: it cannot be read. */
  readonly read: () => Promise<KeySet | null>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long another replica may take to note what it has changed, in milliseconds. */
  readonly graceMs: number;
  /** A clock in milliseconds that never goes back. */
  readonly monotonic?: () => number;
}

export interface SourceWatch {
  /** Looks whether anything was changed elsewhere. The first time it only learns what there is. Never rejects. */
  readonly look: () => Promise<void>;
  /** A change here begins; nothing is compared until the function that it gives is called. */
  readonly begin: () => () => void;
  /** Notes what was changed elsewhere before a change here, and takes the change itself for known. */
  readonly changedHere: (target: Target, before: State, after: State) => Promise<void>;
  readonly close: () => void;
}

/** Of more keys than this, changes made elsewhere are not looked for: reading them all would be felt. */
const MOST_KEYS = 20_000;
/** A look rests so many times as long as it took. */
const REST_PER_LOOK = 5;
/** After a source that could not be read. */
const RETRY_MS = 5000;

export function createSourceWatch(options: SourceWatchOptions): SourceWatch {
  const { log, who, keys, read, now, graceMs, monotonic = () => performance.now() } = options;
  /** What was there at the last look, as JSON: thousands of objects would weigh more. null: not looked yet. */
  let known: Map<string, string> | null = null;
  /** What differs from what was known and noted, until the grace is over: its text, and since when. */
  const pending = new Map<string, Pending>();
  /** What a change here was based on, and nobody had noted yet. */
  let doubts: Doubt[] = [];
  /** How much of the log was known when something was learned; of all others, at the first look. */
  const learnedAt = createLruMap<string, number>(MOST_KEYS);
  let begunAt = 0;
  let compared: ReturnType<typeof keys> = null;
  let changing = 0;
  /** Counts beginnings and ends of changes here. */
  let turns = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const note = async (target: Target, from: string, to: string, at: number): Promise<void> => {
    const [before, after] = [stateIn(from), stateIn(to)];
    const change = {
      time: isoTime(at),
      who,
      address: null,
      action: actionOf(target.kind, before, after),
      kind: target.kind,
      target: target.name,
      fields: changedFields(before, after),
    };
    await log.add({ change, state: digestOfText(to) }, 'seen');
  };

  const lookOnce = async (): Promise<void> => {
    const snapshot = keys();
    if (snapshot === null || changing > 0 || snapshot.byId.size > MOST_KEYS) return;
    if (pending.size + doubts.length === 0 && compared !== null && isSame(snapshot, compared)) return;
    const begun = turns;
    const set = await read();
    if (set === null) return later(RETRY_MS);
    const texts = await textsIn(set);
    await log.sync();
    // What changed here meanwhile may be in what was read, or not: the end of the change asks again.
    if (closed || turns !== begun) return;
    compared = snapshot;
    if (known === null) {
      known = texts;
      begunAt = log.position();
      return;
    }
    await settleDoubts();
    await compare(known, texts);
  };

  /** Whether a change is in the log that led there, and that came after what was known at this position. */
  const isNoted = (target: Target, text: string, after: number): boolean => log.led(target, digestOfText(text)) > after;

  const settleDoubts = async (): Promise<void> => {
    const [due, rest] = [doubts.filter(isDue), doubts.filter((doubt) => !isDue(doubt))];
    doubts = rest;
    for (const { target, old, text, at, after } of due)
      if (!isNoted(target, text, after)) await note(target, old, text, at);
  };
  const isDue = ({ since }: { readonly since: number }): boolean => monotonic() - since >= graceMs;

  const learn = (texts: Map<string, string>, name: string, text: string): void => {
    if (text === NOTHING) texts.delete(name);
    else texts.set(name, text);
    learnedAt.set(name, log.position());
  };

  const compare = async (before: Map<string, string>, after: ReadonlyMap<string, string>): Promise<void> => {
    for (const name of pending.keys()) if (before.get(name) === after.get(name)) pending.delete(name);
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      const [old = NOTHING, text = NOTHING] = [before.get(name), after.get(name)];
      if (old === text) continue;
      const target = targetOf(name);
      if (!isNoted(target, text, learnedAt.get(name) ?? begunAt)) {
        let waiting = pending.get(name);
        if (waiting?.text !== text) {
          waiting = { text, at: now(), since: monotonic() };
          pending.set(name, waiting);
        }
        if (!isDue(waiting)) continue;
        await note(target, old, text, waiting.at);
      }
      pending.delete(name);
      learn(before, name, text);
    }
    if (pending.size + doubts.length > 0) later(graceMs);
  };

  const looking = createCoalescer(lookOnce, { restMs: 0, restPerRun: REST_PER_LOOK });
  const look = (): Promise<void> => looking.request().catch(() => later(RETRY_MS));

  function later(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => void look(), ms).unref();
  }

  return {
    look,
    begin() {
      changing += 1;
      turns += 1;
      return () => {
        changing -= 1;
        turns += 1;
        void look();
      };
    },
    async changedHere(target, before, after) {
      if (known === null) return;
      const name = keyOfTarget(target);
      const [old = NOTHING, text] = [known.get(name), textOfState(before)];
      // What cannot be read is nothing to whoever replaces it.
      const unreadable = before === null && stateIn(old)?.['invalid'] !== undefined;
      if (old !== text && !unreadable) {
        const after = learnedAt.get(name) ?? begunAt;
        doubts.push({ target, old, text, at: now(), since: monotonic(), after });
        await settleDoubts();
      }
      pending.delete(name);
      learn(known, name, textOfState(after));
    },
    close() {
      closed = true;
      clearTimeout(timer);
      looking.close();
    },
  };
}

interface Pending {
  readonly text: string;
  /** When it was seen first, in milliseconds since the epoch. */
  readonly at: number;
  /** The same by a clock that never goes back. */
  readonly since: number;
}

/** A change from `old` to `text`, which was there when something was changed here. */
interface Doubt extends Pending {
  readonly target: Target;
  readonly old: string;
  /** What of the log was known before. */
  readonly after: number;
}

/** The text of a state that is nothing. */
const NOTHING = 'null';

const stateIn = (text: string): State => JSON.parse(text) as State;

/** So many keys are written as text between two pauses, in which requests have their turn. */
const AT_ONCE = 50;

async function textsIn({ definitions, records }: KeySet): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const add = (kind: Target['kind'], name: string, state: State): void =>
    void texts.set(keyOfTarget({ kind, name }), textOfState(state));
  for (const [i, key] of definitions.entries()) {
    add('key', key.id, stateOf(key, stateOfKey));
    if (i % AT_ONCE === AT_ONCE - 1) await new Promise(setImmediate);
  }
  for (const policy of records.policies.values()) add('policy', policy.id, stateOf(policy, stateOfRecord));
  for (const list of records.lists.values()) add('list', list.id, stateOf(list, stateOfRecord));
  return texts;
}

/** A kind holds no colon. */
function targetOf(text: string): Target {
  const at = text.indexOf(':');
  return { kind: text.slice(0, at) as Target['kind'], name: text.slice(at + 1) };
}

type Compared = Pick<KeySnapshot, 'byId' | 'invalid' | 'records'>;

/** Lists that were read again, from a URL say, are no change of what is stored. */
const isSame = (a: Compared, b: Compared): boolean =>
  a.byId === b.byId && a.invalid === b.invalid && a.records === b.records;
