/**
 * Keys, policies and address lists in Redis, changed one at a time: written only while what is stored is still what the change was decided on, so that no
 * replica loses another's. Serves no request; reading is the key source's.
 */
import type { Finding } from '../config/issue.ts';
import { RedisFailure, type RedisConnection } from '../lib/redis.ts';
import {
  NO_RECORDS,
  type KeyDefinition,
  type Loaded,
  type LoadedDefinition,
  type SharedRecords,
} from './definition.ts';
import type { Decide, DecideRecord, KeyStore, StoreFailure, Updated } from './key-store.ts';
import { readStoredDefinition, writtenDefinition } from './read-definition.ts';
import {
  LISTS,
  onlyOneMetricsKey,
  POLICIES,
  spoiledKeys,
  usersOf,
  withRecord,
  type KeySet,
  type RecordKind,
} from './record-kind.ts';
import { keyLayout, readStoredKey, readStoredKeys, replaceKey, scanKeys, type KeyLayout } from './redis-layout.ts';
import { recordsNamedBy, unknownApis, wholeDefinition } from './whole-definition.ts';

export interface RedisStoreOptions {
  /** The store owns it, and closes it. */
  readonly connection: RedisConnection;
  readonly prefix: string;
  /** The names of the APIs, of which alone a change may speak. */
  readonly apis: () => readonly string[];
}

/** How often somebody else may be faster before a change is given up. */
const ATTEMPTS = 10;

export function createRedisStore({ connection, prefix, apis }: RedisStoreOptions): KeyStore {
  const layout = keyLayout(prefix);
  const stored: StoredSet = { connection, layout };

  async function update<R>(id: string, decide: Decide<R>): Promise<Updated<R>> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const version = await readVersion(stored);
      const expected = await readStoredKey(connection, layout, id);
      const loaded = expected === null ? null : readStoredDefinition(id, expected);
      const change = decide(loaded);
      if ('refused' in change) return { ok: false, refused: change.refused };
      const before = loaded !== null && 'definition' in loaded ? loaded.definition : null;
      const after = change.next;
      const json = after === null ? null : storedJson(after);
      if (json === expected) return { ok: true, before, after };
      const findings = after === null ? [] : await findingsOf(stored, after, apis());
      if (findings.length > 0) return failed({ kind: 'contradiction', findings });
      const alone = after === null || recordsNamedBy(after, NO_RECORDS).length === 0;
      const replaced = { id, expected, json, ...(!alone && { version }) };
      if (await replaceKey(connection, layout, replaced)) return { ok: true, before, after };
    }
    return failed({ kind: 'unavailable', why: 'The key keeps changing. Try again.' });
  }

  async function updateRecord<R, T>(
    kind: RecordKind<T>,
    name: string,
    decide: DecideRecord<R, T>,
  ): Promise<Updated<R, T>> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // Whatever else changes meanwhile raises the counter, and the change is decided again.
      const version = await readVersion(stored);
      const set = await readSet(stored);
      const expected = await readStoredKey(connection, layout, name, kind.section);
      const loaded = expected === null ? null : kind.readStored(name, expected);
      const change = decide(loaded, usersOf(kind, name, set));
      if ('refused' in change) return { ok: false, refused: change.refused };
      const before = loaded !== null && 'definition' in loaded ? loaded.definition : null;
      const after = change.next;
      const json = after === null ? null : JSON.stringify(kind.written(after));
      if (json === expected) return { ok: true, before, after };
      const findings = [
        ...(json === null ? [] : recordFindings(kind, name, json, set, apis())),
        ...spoiledKeys(set, withRecord(set.records, kind, name, after)),
      ];
      if (findings.length > 0) return failed({ kind: 'contradiction', findings });
      if (await replaceKey(connection, layout, { id: name, expected, json, hash: kind.section, version }))
        return { ok: true, before, after };
    }
    return failed({ kind: 'unavailable', why: 'The keys keep changing. Try again.' });
  }

  return {
    kind: 'redis',
    readOnly: () => null,
    list: () => attempt(async () => ({ ok: true, value: await readDefinitions(stored) })),
    get: (id) =>
      attempt(async () => {
        const json = await readStoredKey(connection, layout, id);
        return { ok: true, value: json === null ? null : readStoredDefinition(id, json) };
      }),
    update: (id, decide) => attempt(() => update(id, decide)),
    everything: () => attempt(async () => ({ ok: true, value: await readSet(stored) })),
    updateRecord: (kind, name, decide) => attempt(() => updateRecord(kind, name, decide)),
    close: () => connection.close(),
  };
}

interface StoredSet {
  readonly connection: RedisConnection;
  readonly layout: KeyLayout;
}

const readVersion = async ({ connection, layout }: StoredSet): Promise<string | null> =>
  (await connection.call('get', layout.version)) as string | null;

async function readDefinitions({ connection, layout }: StoredSet): Promise<LoadedDefinition[]> {
  const found = new Map<string, LoadedDefinition>();
  // A page at a time: reading definitions is work that requests should not wait for.
  for await (const page of scanKeys(connection, layout))
    for (const [id, json] of page) found.set(id, readStoredDefinition(id, json));
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function readRecords({ connection, layout }: StoredSet): Promise<SharedRecords> {
  const read = async <T>({ section, readStored }: RecordKind<T>): Promise<Map<string, Loaded<T>>> => {
    const texts = await readStoredKeys(connection, layout, section);
    return new Map(
      [...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, json]) => [name, readStored(name, json)]),
    );
  };
  return { policies: await read(POLICIES), lists: await read(LISTS) };
}

const readSet = async (stored: StoredSet): Promise<KeySet> => ({
  records: await readRecords(stored),
  definitions: await readDefinitions(stored),
});

/** The id is the name of the field, and is not said twice. */
function storedJson(definition: KeyDefinition): string {
  const { id: _id, ...fields } = writtenDefinition(definition);
  return JSON.stringify(fields);
}

/** What keeps a key from being used beside what else is stored. */
async function findingsOf(stored: StoredSet, key: KeyDefinition, apis: readonly string[]): Promise<Finding[]> {
  const records = recordsNamedBy(key, NO_RECORDS).length === 0 ? NO_RECORDS : await readRecords(stored);
  const whole = wholeDefinition(key, records);
  const findings = [...unknownApis(key, apis), ...(whole.ok ? [] : whole.findings)];
  if (findings.length > 0 || !whole.ok || whole.value.type !== 'metrics') return findings;
  const other = await otherMetricsKey(stored, key.id);
  return other === null ? [] : [{ path: ['type'], message: onlyOneMetricsKey(other) }];
}

/** Of metrics keys alone it is certain that they have an API key. */
async function otherMetricsKey(stored: StoredSet, own: string): Promise<string | null> {
  const records = await readRecords(stored);
  for await (const page of scanKeys(stored.connection, stored.layout))
    for (const [id, json] of page) {
      if (id === own || !json.includes('"apiKey"')) continue;
      const loaded = readStoredDefinition(id, json);
      const whole = 'definition' in loaded ? wholeDefinition(loaded.definition, records) : null;
      if (whole?.ok === true && whole.value.type === 'metrics') return id;
    }
  return null;
}

/** What is wrong with a policy or a list beside what else is stored, and with a list that cannot be in Redis. */
function recordFindings<T>(
  kind: RecordKind<T>,
  name: string,
  json: string,
  { records }: KeySet,
  apis: readonly string[],
): Finding[] {
  const loaded = kind.readStored(name, json);
  if ('invalid' in loaded) return [{ path: [], message: `cannot be used: ${loaded.invalid}` }];
  return kind.problems(loaded.definition, records, apis);
}

const failed = (failure: StoreFailure) => ({ ok: false, failure }) as const;

async function attempt<T>(work: () => Promise<T>): Promise<T | { readonly ok: false; readonly failure: StoreFailure }> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RedisFailure)) throw error;
    const readOnly = error.code === 'READONLY' || error.code === 'NOPERM';
    return failed(
      readOnly
        ? { kind: 'read_only', why: `Redis does not let this process write (${error.code})` }
        : { kind: 'unavailable', why: unavailable(error.code) },
    );
  }
}

/** The words of the client library tell an operator nothing; the log has them. */
const unavailable = (code: string): string =>
  code === '' ? 'Redis cannot be reached now.' : `Redis does not do it now (${code}).`;
