/**
 * Keys in Redis, changed one at a time: written only while what is stored is still what the change was decided on, so that no
 * replica loses another's. Serves no request; reading is the key source's.
 */
import { RedisFailure, type RedisConnection } from '../lib/redis.ts';
import type { KeyDefinition, LoadedDefinition } from './definition.ts';
import type { Decide, KeyStore, StoreFailure, Updated } from './key-store.ts';
import { readStoredDefinition, writtenDefinition } from './read-definition.ts';
import { keyLayout, readStoredKey, replaceKey, scanKeys, type KeyLayout } from './redis-layout.ts';

export interface RedisStoreOptions {
  /** The store owns it, and closes it. */
  readonly connection: RedisConnection;
  readonly prefix: string;
}

/** How often somebody else may be faster before a change is given up. */
const ATTEMPTS = 10;

export function createRedisStore({ connection, prefix }: RedisStoreOptions): KeyStore {
  const layout = keyLayout(prefix);
  const load = (id: string, json: string | null): LoadedDefinition | null =>
    json === null ? null : readStoredDefinition(id, json);

  async function update<R>(id: string, decide: Decide<R>): Promise<Updated<R>> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const expected = await readStoredKey(connection, layout, id);
      const stored = load(id, expected);
      const change = decide(stored);
      if ('refused' in change) return { ok: false, refused: change.refused };
      const before = stored !== null && 'definition' in stored ? stored.definition : null;
      const after = change.next;
      if (after?.type === 'metrics') {
        const other = await otherMetricsKey(connection, layout, id);
        if (other !== null) return failed(contradiction(other));
      }
      const json = after === null ? null : storedJson(after);
      if (json === expected || (await replaceKey(connection, layout, { id, expected, json })))
        return { ok: true, before, after };
    }
    return failed({ kind: 'unavailable', why: 'The key keeps changing. Try again.' });
  }

  return {
    kind: 'redis',
    readOnly: () => null,
    list: () =>
      attempt(async () => {
        const found: LoadedDefinition[] = [];
        // A page at a time: reading definitions is work that requests should not wait for.
        for await (const page of scanKeys(connection, layout))
          found.push(...page.map(([id, json]) => readStoredDefinition(id, json)));
        const byId = new Map(found.map((entry) => [entry.id, entry]));
        return { ok: true, value: [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) };
      }),
    get: (id) => attempt(async () => ({ ok: true, value: load(id, await readStoredKey(connection, layout, id)) })),
    update: (id, decide) => attempt(() => update(id, decide)),
    close: () => connection.close(),
  };
}

/** The id is the name of the field, and is not said twice. */
function storedJson(definition: KeyDefinition): string {
  const { id: _id, ...fields } = writtenDefinition(definition);
  return JSON.stringify(fields);
}

async function otherMetricsKey(connection: RedisConnection, layout: KeyLayout, own: string): Promise<string | null> {
  for await (const page of scanKeys(connection, layout))
    for (const [id, json] of page) {
      if (id === own || !json.includes('"metrics"')) continue;
      const loaded = readStoredDefinition(id, json);
      if ('definition' in loaded && loaded.definition.type === 'metrics') return id;
    }
  return null;
}

const contradiction = (other: string): StoreFailure => ({
  kind: 'contradiction',
  findings: [{ path: ['type'], message: `cannot be metrics: there may be one metrics key, and ${other} is it` }],
});

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
        : { kind: 'unavailable', why: `Redis cannot be reached: ${error.message}.` },
    );
  }
}
