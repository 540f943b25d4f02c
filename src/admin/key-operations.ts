/**
 * Keys over the admin API: listed, created, replaced, removed. Every change is conditional on what it was based on, judged
 * like a key file, live before it is answered, and written into the log.
 */
import { hashSecret } from '../keys/secret-hash.ts';
import { makeSecret } from '../keys/secret.ts';
import { NO_RECORDS, type KeyDefinition, type LoadedDefinition, type SharedRecords } from '../keys/definition.ts';
import { KEY_TYPES, type KeySnapshot, type KeyType } from '../keys/key.ts';
import type { Change } from '../keys/key-store.ts';
import { createSingleFlight } from '../lib/single-flight.ts';
import { entityTag, matches, readNewDefinition, readReplacement, showDefinition } from './definition-view.ts';
import type { KeyChanges } from './key-changes.ts';
import { keyInForce, keysInForce } from './keys-in-force.ts';
import { KeysQuery } from './key-schemas.ts';
import { writeLongList, type LongList } from './long-list.ts';
import { readInput, unchanged, type Answer, type Call, type Operation } from './operation.ts';
import { fieldFindings, invalid, problem, type AdminProblem } from './problem.ts';

export interface KeyPorts {
  readonly changes: KeyChanges;
  readonly keys: () => KeySnapshot | null;
  readonly random: (bytes: number) => Uint8Array;
}

export function keyOperations({ changes, keys, random }: KeyPorts): Operation[] {
  const records = (): SharedRecords => keys()?.records ?? NO_RECORDS;
  const shown = (definition: KeyDefinition) => ({
    status: 200,
    headers: { etag: entityTag({ id: definition.id, definition }) },
    body: showDefinition(definition, records()),
  });

  /** Tags of lists tell one set of keys of this process from every other: reading them all to compare would cost more than sending them. */
  const process = Buffer.from(random(9)).toString('base64url');
  const listTag = (of: 'in-force' | 'stored'): string => `"${process}-${keys()?.version ?? 0}-${of}"`;

  /** Thousands of keys are read once for all who ask for the same set meanwhile. */
  const readings = createSingleFlight<Awaited<ReturnType<KeyChanges['list']>>>();

  const list = async (call: Call): Promise<Answer> => {
    const read = readInput(KeysQuery, call.query);
    if (!read.ok) return read.problem;
    if (read.value.of === 'inForce') {
      const tag = listTag('in-force');
      return unchanged(call, tag) ?? { status: 200, tag, parts: writeLongList(keysInForce(keys())) };
    }
    const tag = listTag('stored');
    // Taken before reading: what changes meanwhile is sent again rather than missed.
    if (call.ifNoneMatch !== undefined && matches(call.ifNoneMatch, tag) && changes.readable() === null)
      return { status: 304, tag };
    const stored = await readings.join(tag, () => ({ result: changes.list(), abort: () => undefined })).result;
    if ('code' in stored) return stored;
    return { status: 200, tag, parts: writeLongList(storedKeys(stored, records())) };
  };

  const get = async (call: Call): Promise<Answer> => {
    const { id = '' } = call.params;
    const read = readInput(KeysQuery, call.query);
    if (!read.ok) return read.problem;
    if (read.value.of === 'inForce') {
      const inForce = keys()?.byId.get(id);
      return inForce === undefined ? noSuchKey : { status: 200, body: keyInForce(inForce) };
    }
    const stored = await changes.get(id);
    if (stored === null) return noSuchKey;
    if ('code' in stored) return stored;
    if ('invalid' in stored) return { ...malformed(stored.invalid), headers: { etag: entityTag(stored) } };
    return shown(stored.definition);
  };

  const create = async (call: Call): Promise<Answer> => {
    const secret = makeSecret(typeIn(call.body, records()), random);
    const apiKey = makeSecret('metrics', random);
    const read = readNewDefinition(call.body, { hash: hashSecret(secret), apiKey });
    if (!read.ok) return changes.writable() ?? invalid('invalid_definition', fieldFindings(read.findings));
    const next = read.value;
    const made = await changes.update(call, { id: next.id, action: 'create_key' }, (stored) =>
      stored === null
        ? { next }
        : { refused: problem('id_taken', `There is a key ${JSON.stringify(next.id)} already.`) },
    );
    if ('code' in made) return made;
    const { headers, body: key } = shown(next);
    const madeApiKey = next.apiKey === hashSecret(apiKey) ? { apiKey } : {};
    return {
      status: 201,
      headers: { ...headers, location: `/api/keys/${next.id}` },
      body: { key, secret, ...madeApiKey },
    };
  };

  const replace = async (call: Call): Promise<Answer> => {
    const { id = '' } = call.params;
    const updated = await changes.update(call, { id, action: 'replace_key' }, (stored) =>
      ifCurrent(call, stored, (current) => {
        if ('invalid' in current) return { refused: malformed(current.invalid) };
        const read = readReplacement(call.body, current.definition, records());
        return read.ok
          ? { next: read.value }
          : { refused: invalid('invalid_definition', fieldFindings(read.findings)) };
      }),
    );
    if ('code' in updated) return updated;
    return shown(updated.after as KeyDefinition);
  };

  const remove = async (call: Call): Promise<Answer> => {
    const { id = '' } = call.params;
    const updated = await changes.update(call, { id, action: 'delete_key' }, (stored) =>
      ifCurrent(call, stored, () => ({ next: null })),
    );
    return 'code' in updated ? updated : { status: 204 };
  };

  const key = { path: '/api/keys/{id}' } as const;
  const definition = { status: 200, schema: 'KeyDefinition' } as const;
  return [
    {
      method: 'GET',
      path: '/api/keys',
      operationId: 'listKeys',
      access: 'viewer',
      summary: 'Every key.',
      query: KeysQuery,
      success: { status: 200, schema: 'KeyList' },
      headers: ['ETag'],
      problems: ['source_unavailable', 'invalid_request'],
      handle: list,
    },
    {
      method: 'POST',
      path: '/api/keys',
      operationId: 'createKey',
      access: 'editor',
      summary: 'Create a key with a new secret.',
      body: 'NewKey',
      repeatable: true,
      success: { status: 201, schema: 'CreatedKey' },
      headers: ['ETag', 'Location'],
      problems: ['id_taken', 'invalid_definition', ...WRITE_PROBLEMS],
      handle: create,
    },
    {
      ...key,
      method: 'GET',
      operationId: 'getKey',
      access: 'viewer',
      summary: 'One key.',
      query: KeysQuery,
      success: definition,
      headers: ['ETag'],
      problems: ['not_found', 'malformed_definition', 'source_unavailable', 'invalid_request'],
      handle: get,
    },
    {
      ...key,
      method: 'PUT',
      operationId: 'replaceKey',
      access: 'editor',
      summary: 'Replace a definition; its secrets stay.',
      body: 'KeyReplacement',
      ifMatch: 'required',
      success: definition,
      headers: ['ETag'],
      problems: ['invalid_definition', ...CONDITIONAL_PROBLEMS, ...WRITE_PROBLEMS],
      handle: replace,
    },
    {
      ...key,
      method: 'DELETE',
      operationId: 'deleteKey',
      access: 'editor',
      summary: 'Remove a key, at once.',
      ifMatch: 'required',
      success: { status: 204, schema: null },
      problems: [...CONDITIONAL_PROBLEMS, ...WRITE_PROBLEMS],
      handle: remove,
    },
  ];
}

const storedKeys = (stored: readonly LoadedDefinition[], records: SharedRecords): LongList<KeyDefinition> => ({
  field: 'keys',
  items: stored.flatMap((entry) => ('definition' in entry ? [entry.definition] : [])),
  show: (definition) => showDefinition(definition, records),
  rest: { invalid: stored.flatMap((entry) => ('invalid' in entry ? [{ id: entry.id, why: entry.invalid }] : [])) },
});

/** The type that a definition says, or its policy. Only the look of a secret depends on it. */
function typeIn(body: unknown, { policies }: SharedRecords): KeyType {
  const { type, policy } = (body ?? {}) as { readonly type?: unknown; readonly policy?: string };
  const shared = policies.get(policy ?? '');
  const said = type ?? (shared !== undefined && 'definition' in shared ? shared.definition.type : undefined);
  return KEY_TYPES.find((name) => name === said) ?? 'write-only';
}

export const WRITE_PROBLEMS = ['read_only', 'not_editable', 'source_unavailable'] as const;
const CONDITIONAL_PROBLEMS = [
  'not_found',
  'malformed_definition',
  'precondition_failed',
  'precondition_required',
] as const;

export const noSuchKey: AdminProblem = problem('not_found', 'There is no such key.');

export const malformed = (why: string): AdminProblem =>
  problem('malformed_definition', `What is stored under this id cannot be read as a key: ${why}. It can be deleted.`);

export const STALE: AdminProblem = problem(
  'precondition_failed',
  'The key has changed since it was read. Read it again, and base the change on that.',
);

/** The change to what is stored now, if it is what the caller saw. */
function ifCurrent(
  { ifMatch }: Call,
  stored: LoadedDefinition | null,
  change: (current: LoadedDefinition) => Change<AdminProblem>,
): Change<AdminProblem> {
  if (stored === null) return { refused: noSuchKey };
  if (ifMatch === undefined) return { refused: UNCONDITIONAL };
  return matches(ifMatch, entityTag(stored)) ? change(stored) : { refused: STALE };
}

const UNCONDITIONAL: AdminProblem = problem(
  'precondition_required',
  'Send the ETag of the key in If-Match, so that no change of another is lost.',
);
