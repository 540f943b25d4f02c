/**
 * Sees changes of keys, policies and address lists that were not made here: reads the source when it has changed, and compares it with
 * what was known. A change that was made here, or that another replica has noted, is not noted again. Changes nothing in the source.
 */
import type { KeySet } from '../../keys/record-kind.ts';
import type { KeySnapshot } from '../../keys/key.ts';
import { createCoalescer } from '../../lib/coalescer.ts';
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
  readonly log: Pick<ChangeLog, 'sync' | 'add' | 'stateAfter' | 'forget'>;
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
    if (closed || snapshot === null || changing > 0 || snapshot.byId.size > MOST_KEYS) return;
    if (pending.size === 0 && compared !== null && isSame(snapshot, compared)) return;
    const begun = turns;
    const set = await read();
    if (set === null) return later(RETRY_MS);
    await log.sync();
    // What changed here meanwhile may be in what was read, or not: the end of the change asks again.
    if (closed || turns !== begun) return;
    compared = snapshot;
    const texts = textsIn(set);
    if (known === null) {
      known = texts;
      log.forget();
      return;
    }
    await compare(known, texts);
  };

  const compare = async (before: Map<string, string>, after: ReadonlyMap<string, string>): Promise<void> => {
    for (const name of pending.keys()) if (before.get(name) === after.get(name)) pending.delete(name);
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      const [old = NOTHING, text = NOTHING] = [before.get(name), after.get(name)];
      if (old === text) continue;
      const target = targetOf(name);
      if (log.stateAfter(target) !== digestOfText(text)) {
        let waiting = pending.get(name);
        if (waiting?.text !== text) {
          waiting = { text, at: now(), since: monotonic() };
          pending.set(name, waiting);
        }
        if (monotonic() - waiting.since < graceMs) continue;
        await note(target, old, text, waiting.at);
      }
      pending.delete(name);
      learn(before, name, text);
    }
    if (pending.size > 0) later(graceMs);
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
        await log.sync();
        if (log.stateAfter(target) !== digestOfText(text)) await note(target, old, text, now());
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

/** The text of a state that is nothing. */
const NOTHING = 'null';

const stateIn = (text: string): State => JSON.parse(text) as State;

function learn(known: Map<string, string>, name: string, text: string): void {
  if (text === NOTHING) known.delete(name);
  else known.set(name, text);
}

function textsIn({ definitions, records }: KeySet): Map<string, string> {
  const texts = new Map<string, string>();
  const add = (kind: Target['kind'], name: string, state: State): void =>
    void texts.set(keyOfTarget({ kind, name }), textOfState(state));
  for (const key of definitions) add('key', key.id, stateOf(key, stateOfKey));
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
