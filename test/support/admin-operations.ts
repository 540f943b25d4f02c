/**
 * The operations of the admin API without a server: called by their names, over keys, policies and lists that are in memory and are
 * changed in the API's own way. Answers are given as they would be sent.
 */
import { createKeyChanges, type KeyChanges } from '../../src/admin/key-changes.ts';
import type { Answer, Call, Operation } from '../../src/admin/operation.ts';
import { problemDocument } from '../../src/admin/problem.ts';
import { compileKeys } from '../../src/keys/compile.ts';
import { NO_RECORDS, type LoadedDefinition, type SharedRecords } from '../../src/keys/definition.ts';
import type { KeySnapshot } from '../../src/keys/key.ts';
import type { KeyStore, StoreFailure } from '../../src/keys/key-store.ts';
import { readDefinition } from '../../src/keys/read-definition.ts';
import { usersOf, withRecord } from '../../src/keys/record-kind.ts';
import { EDITOR } from './admin-client.ts';

/** A key as it would be written, as a source yields it. */
export function loadedKey(written: Record<string, unknown>): LoadedDefinition {
  const read = readDefinition(written);
  if (!read.ok) throw new Error(JSON.stringify(read.findings));
  return { id: read.value.id, definition: read.value };
}

export interface StoredWorld {
  /** What is stored, and by what requests are judged. */
  keys: readonly LoadedDefinition[];
  records: SharedRecords;
  /** Before anything was loaded there are no keys. */
  loaded: boolean;
  failure: StoreFailure | null;
  readOnly: string | null;
  up: boolean;
  /** What was told to the log, without who and from where. */
  readonly told: unknown[];
  /** What was told to the history, likewise. */
  readonly noted: unknown[];
  readonly snapshot: () => KeySnapshot | null;
  readonly changes: KeyChanges;
  readonly store: KeyStore;
}

export function storedWorld(keys: readonly LoadedDefinition[], records: SharedRecords = NO_RECORDS): StoredWorld {
  let version = 1;
  const [told, noted]: [unknown[], unknown[]] = [[], []];
  const set = () => ({ definitions: world.keys, records: world.records });
  const read = async <T>(value: () => T) =>
    world.failure === null ? { ok: true as const, value: value() } : { ok: false as const, failure: world.failure };
  const store: KeyStore = {
    kind: 'file',
    readOnly: () => world.readOnly,
    list: () => read(() => world.keys),
    get: (id) => read(() => world.keys.find((one) => one.id === id) ?? null),
    everything: () => read(set),
    async update(id, decide) {
      if (world.failure !== null) return { ok: false, failure: world.failure };
      const stored = world.keys.find((one) => one.id === id) ?? null;
      const change = decide(stored);
      if ('refused' in change) return { ok: false, refused: change.refused };
      const others = world.keys.filter((one) => one.id !== id);
      world.keys = change.next === null ? others : [...others, { id, definition: change.next }];
      return {
        ok: true,
        before: stored !== null && 'definition' in stored ? stored.definition : null,
        after: change.next,
      };
    },
    async updateRecord(kind, name, decide) {
      if (world.failure !== null) return { ok: false, failure: world.failure };
      const stored = kind.of(world.records).get(name) ?? null;
      const change = decide(stored, usersOf(kind, name, set()));
      if ('refused' in change) return { ok: false, refused: change.refused };
      world.records = withRecord(world.records, kind, name, change.next);
      return {
        ok: true,
        before: stored !== null && 'definition' in stored ? stored.definition : null,
        after: change.next,
      };
    },
    close: () => undefined,
  };
  const changes = createKeyChanges({
    store: () => store,
    source: {
      kind: 'file',
      status: () => ({ up: world.up, why: null, lastSyncAt: null, invalidDefinitions: 0, loaded: true }),
    },
    reload: async () => void (version += 1),
    audit: (_call, action, change) => void told.push({ action, ...change }),
    history: { begin: () => () => undefined, changed: async (_call, made) => void noted.push(made) },
  });
  const world: StoredWorld = {
    keys,
    records,
    loaded: true,
    failure: null,
    readOnly: null,
    up: true,
    told,
    noted,
    snapshot: () => (world.loaded ? compileKeys(world.keys, version, world.records) : null),
    changes,
    store,
  };
  return world;
}

export interface Asked extends Partial<Pick<Call, 'query' | 'body' | 'ifMatch' | 'ifNoneMatch'>> {
  readonly params?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- what an answer holds is what tests ask about
  readonly body: any;
  readonly headers: Readonly<Record<string, string>>;
  readonly tag: string | undefined;
}

/** Calls the operation of this name as an editor. */
export function asking(operations: readonly Operation[]) {
  return async (operationId: string, asked: Asked = {}): Promise<Answered> => {
    const operation = operations.find((one) => one.operationId === operationId);
    if (operation === undefined || !('handle' in operation)) throw new Error(`no operation ${operationId}`);
    const call: Call = {
      method: operation.method,
      params: {},
      query: {},
      body: undefined,
      ifMatch: undefined,
      ifNoneMatch: undefined,
      idempotencyKey: undefined,
      caller: { token: EDITOR, session: null },
      address: '192.0.2.1',
      ...asked,
    };
    return answered(await operation.handle(call));
  };
}

async function answered(answer: Answer): Promise<Answered> {
  const headers = answer.headers ?? {};
  if ('code' in answer) {
    const body = problemDocument(answer);
    return { status: Number(body['status']), body, headers, tag: undefined };
  }
  const { status, parts, tag } = answer;
  if (parts === undefined) return { status, body: answer.body, headers, tag };
  const texts: string[] = [];
  for await (const part of parts) texts.push(part);
  return { status, body: JSON.parse(texts.join('')), headers, tag };
}
