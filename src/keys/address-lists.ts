/**
 * Keeps the address lists by name: the literal ones, those in files, which are followed, and those at URLs, which are read again from
 * time to time. A reading that is not to be believed changes nothing: the last good copy serves. Knows no key.
 */
import { watchFiles, type FileWatch, type WatchTiming } from '../config/watch.ts';
import { addressSetOf, compileRanges, type AddressSet } from '../lib/cidr.ts';
import type { AddressLists } from './address-rule.ts';
import { compileListText } from './compile-list-text.ts';
import type { AddressListDefinition } from './list-definition.ts';
import type { Download } from './list-download.ts';
import { textOfList } from './list-source.ts';

export interface ListStatus {
  readonly name: string;
  /** Whether the last reading could be believed. */
  readonly up: boolean;
  readonly entries: number;
  /** Milliseconds since the epoch; null: never. */
  readonly lastSuccessAt: number | null;
  /** What was wrong with the last reading. */
  readonly why: string | null;
}

export interface ListPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The lists are others than before. */
  readonly onChange: () => void;
  /** A sentence for the operator: a list could not be read, or can be read again. */
  readonly onProblem: (problem: { readonly severity: 'error' | 'warning'; readonly message: string }) => void;
  readonly timing?: ListTiming;
}

export interface ListTiming {
  /** How soon a list that was never read is tried again, in milliseconds. */
  readonly retryMs: number;
  /** How long one minute of `refreshMinutes` is, in milliseconds. */
  readonly minuteMs: number;
  readonly watch?: WatchTiming;
}

export interface AddressListKeeper {
  /** These lists and no others. Resolves when each new one was tried. */
  readonly use: (definitions: ReadonlyMap<string, AddressListDefinition>) => Promise<void>;
  /** What the names stand for now. One that was never read is not among them. */
  readonly current: () => AddressLists;
  readonly isComplete: () => boolean;
  readonly status: () => readonly ListStatus[];
  /** Reads the files again. */
  readonly reload: () => Promise<void>;
  readonly close: () => void;
}

interface KeptList {
  readonly name: string;
  readonly definition: AddressListDefinition;
  /** The definition as text: equal text, equal list. */
  readonly text: string;
  /** What serves: while it was never read as it is defined now, what it was before. */
  set: AddressSet | null;
  entries: number;
  lastSuccessAt: number | null;
  /** It was read as it is defined now. */
  wasRead: boolean;
  why: string | null;
  timer: NodeJS.Timeout | null;
  reading: Promise<void> | null;
  /** Something changed while it was read. */
  again: boolean;
}

const DEFAULT_TIMING: ListTiming = { retryMs: 3000, minuteMs: 60_000 };
/** A list that is this many times smaller than it was is not believed. */
const SHRUNK = 10;

export function createAddressLists({
  now,
  onChange,
  onProblem,
  timing = DEFAULT_TIMING,
}: ListPorts): AddressListKeeper {
  let lists = new Map<string, KeptList>();
  let current: AddressLists = new Map();
  let watch: FileWatch | null = null;
  const closing = new AbortController();

  const publish = (): void => {
    const read = [...lists.values()].flatMap(({ name, set }) => (set === null ? [] : [[name, set] as const]));
    current = new Map(read);
    onChange();
  };

  const fail = (list: KeptList, why: string): void => {
    if (list.why !== why) {
      const consequence = list.set === null ? 'there is no copy of it yet' : 'the last good copy goes on serving';
      onProblem({ severity: 'error', message: `The address list ${list.name} is not usable: ${why}; ${consequence}.` });
    }
    list.why = why;
  };

  const isKept = (list: KeptList): boolean => !closing.signal.aborted && lists.get(list.name) === list;

  const take = async (list: KeptList, source: Download): Promise<void> => {
    if (!isKept(list)) return;
    if (!source.ok) return fail(list, source.why);
    const read = isEmptyLiteral(list)
      ? NOBODY
      : await compileListText(source.text, closing.signal).catch((error: Error) => ({
          ok: false as const,
          why: error.message,
        }));
    if (!isKept(list)) return;
    if (!read.ok) return fail(list, read.why);
    const objection = objectionTo(read.entries, list);
    if (objection !== null) return fail(list, objection);
    if (list.why !== null && list.set !== null)
      onProblem({ severity: 'warning', message: `The address list ${list.name} can be read again.` });
    list.set = addressSetOf(read.ranges);
    list.entries = read.entries;
    list.lastSuccessAt = now();
    list.wasRead = true;
    list.why = null;
    publish();
  };

  /** One reading at a time; what is asked for meanwhile is one more. */
  const read = (list: KeptList): Promise<void> => {
    if (list.reading !== null) {
      list.again = true;
      return list.reading;
    }
    list.reading = (async () => {
      do {
        list.again = false;
        await take(list, await textOfList(list.definition, closing.signal));
      } while (list.again);
      list.reading = null;
      schedule(list);
    })();
    return list.reading;
  };

  const schedule = (list: KeptList): void => {
    if (list.timer !== null) clearTimeout(list.timer);
    list.timer = null;
    if (!isKept(list)) return;
    const wait = nextReading(list, timing);
    if (wait !== null) list.timer = setTimeout(() => void read(list), wait).unref();
  };

  const readFiles = (): Promise<unknown> =>
    Promise.all([...lists.values()].filter(({ definition }) => definition.kind === 'file').map(read));

  const follow = (): void => {
    const files = [...lists.values()].flatMap(({ definition }) =>
      definition.kind === 'file' ? [definition.file] : [],
    );
    if (watch !== null) watch.setFiles(files);
    else if (files.length > 0) watch = watchFiles(files, () => void readFiles(), timing.watch);
  };

  return {
    async use(definitions) {
      const before = lists;
      lists = new Map(
        [...definitions].map(([name, definition]) => [name, keptList(name, definition, before.get(name))]),
      );
      for (const list of before.values())
        if (lists.get(list.name) !== list && list.timer !== null) clearTimeout(list.timer);
      follow();
      if ([...before.keys()].some((name) => !lists.has(name))) publish();
      await Promise.all([...lists.values()].filter((list) => before.get(list.name) !== list).map(read));
    },
    current: () => current,
    isComplete: () => [...lists.values()].every(({ set }) => set !== null),
    status: () =>
      [...lists.values()].map(({ name, entries, lastSuccessAt, why, set }) => ({
        name,
        up: why === null && set !== null,
        entries,
        lastSuccessAt,
        why,
      })),
    reload: async () => void (await readFiles()),
    close() {
      closing.abort();
      watch?.close();
      for (const { timer } of lists.values()) if (timer !== null) clearTimeout(timer);
    },
  };
}

/** The same list again, or one that begins with the last good copy of that name. */
function keptList(name: string, definition: AddressListDefinition, before: KeptList | undefined): KeptList {
  const text = JSON.stringify(definition);
  if (before?.text === text) return before;
  // Another list may well be shorter; the same one, read more often, may not.
  const same = before !== undefined && isSameSource(before.definition, definition) ? before : null;
  return {
    name,
    definition,
    text,
    set: before?.set ?? null,
    entries: before?.entries ?? 0,
    lastSuccessAt: before?.lastSuccessAt ?? null,
    wasRead: same?.wasRead ?? false,
    why: null,
    timer: null,
    reading: null,
    again: false,
  };
}

const isSameSource = (a: AddressListDefinition, b: AddressListDefinition): boolean =>
  a.kind === 'url' && b.kind === 'url' && a.url === b.url;

/** An empty list that stands there as such is meant. */
const isEmptyLiteral = ({ definition }: KeptList): boolean =>
  definition.kind === 'literal' && definition.entries.length === 0;
const NOBODY = { ok: true, ranges: compileRanges([]), entries: 0 } as const;

/** Why a list of so many entries is not believed, or null. */
function objectionTo(entries: number, { definition, entries: served, wasRead }: KeptList): string | null {
  if (definition.kind === 'literal') return null;
  if (definition.kind === 'url' && entries > definition.maxEntries)
    return `it has ${entries} entries, more than the ${definition.maxEntries} of maxEntries`;
  // Another list may well be shorter.
  const before = wasRead ? served : 0;
  return entries * SHRUNK <= before ? `it has ${entries} entries, where it had ${before}` : null;
}

/** When a list is read again; null: when its file changes. What could not be used is asked for every minute: that may pass by itself. */
function nextReading({ definition, set, why }: KeptList, { retryMs, minuteMs }: ListTiming): number | null {
  if (set === null) return retryMs;
  if (definition.kind === 'literal') return null;
  if (why !== null) return minuteMs;
  return definition.kind === 'url' ? definition.refreshMinutes * minuteMs : null;
}
