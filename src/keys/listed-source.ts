/**
 * A key source together with the address lists that its keys name: what it publishes has both. Until every list was read once it
 * publishes nothing; later a new list is waited for only shortly, and holds nobody until it is read. Reads no keys itself.
 */
import type { AddressListDefinition } from './list-definition.ts';
import { createAddressLists, type ListStatus, type ListTiming } from './address-lists.ts';
import type { KeySnapshot } from './key.ts';
import type { KeyListener, KeySource } from './source.ts';

export interface ListedKeySource extends KeySource {
  readonly lists: () => readonly ListStatus[];
}

export interface ListedSourceOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Where a file is that a list names. */
  readonly resolve: (file: string) => string;
  readonly timing?: ListTiming;
}

/** How long keys wait for a list that is new, in milliseconds: whatever else changed has to be in force within a second. */
const PATIENCE_MS = 700;
/** How long a start waits for lists, in milliseconds. Later they are waited for without holding up the start. */
const START_MS = 4000;

export function withAddressLists(source: KeySource, { now, resolve, timing }: ListedSourceOptions): ListedKeySource {
  let listener: KeyListener | null = null;
  let latest: KeySnapshot | null = null;
  let version = 0;
  let published = false;
  /** Whether what is published is the latest: a list that changes is then published at once. */
  let settled = false;
  let pending: Promise<void> = Promise.resolve();
  const lists = createAddressLists({
    now,
    onChange: () => {
      if (published ? settled : lists.isComplete()) publish();
    },
    onProblem: (problem) => listener?.onProblem(problem),
    ...(timing === undefined ? {} : { timing }),
  });

  function publish(): void {
    if (latest === null || listener === null) return;
    published = true;
    settled = true;
    version += 1;
    listener.onKeys({ ...latest, version, lists: lists.current() });
  }

  const take = async (snapshot: KeySnapshot): Promise<void> => {
    latest = snapshot;
    settled = false;
    // Keys and lists that changed together come into force together, if that does not take too long.
    await within(published ? PATIENCE_MS : START_MS, lists.use(definitionsIn(snapshot, resolve)));
    if (!settled && (published || lists.isComplete())) publish();
  };

  return {
    kind: source.kind,
    async start(newListener) {
      listener = newListener;
      await source.start({
        ...newListener,
        onKeys: (snapshot) => (pending = take(snapshot)),
      });
      await pending;
    },
    async reload() {
      await Promise.all([source.reload(), lists.reload()]);
      await pending;
    },
    status: () => source.status(),
    lists: () => lists.status(),
    async close() {
      listener = null;
      lists.close();
      await source.close();
    },
  };
}

function definitionsIn(
  { records }: KeySnapshot,
  resolve: (file: string) => string,
): ReadonlyMap<string, AddressListDefinition> {
  const found = new Map<string, AddressListDefinition>();
  for (const list of records.lists.values()) {
    if (!('definition' in list)) continue;
    const { definition } = list;
    found.set(list.id, definition.kind === 'file' ? { ...definition, file: resolve(definition.file) } : definition);
  }
  return found;
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise<void>((done) => (timer = setTimeout(done, ms)))]);
  clearTimeout(timer);
}
