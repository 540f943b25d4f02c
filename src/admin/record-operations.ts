/**
 * Policies and address lists over the admin API: listed, created, replaced, removed, each conditional on what it was based on. What
 * something uses stays; what would make a key unusable is refused with the keys that it is about.
 */
import type { Config } from '../config/schema.ts';
import type { PolicyDefinition } from '../keys/definition.ts';
import type { KeySnapshot } from '../keys/key.ts';
import type { Change } from '../keys/key-store.ts';
import type { AddressListDefinition } from '../keys/list-definition.ts';
import type { ListedKeySource } from '../keys/listed-source.ts';
import type { Read } from '../keys/read-definition.ts';
import { LISTS, POLICIES, usersByName, usersOf, type RecordKind, type RecordUsers } from '../keys/record-kind.ts';
import { entityTag } from './definition-view.ts';
import type { KeyChanges } from './key-changes.ts';
import { WRITE_PROBLEMS } from './key-operations.ts';
import type { Answer, Call, Operation } from './operation.ts';
import { fieldFindings, invalid, problem, type AdminProblem } from './problem.ts';
import { ifMatchProblem, inUseProblem, putProblem } from './record-conditions.ts';
import {
  listUsersIn,
  readListBody,
  readPolicyBody,
  showList,
  showPolicy,
  showUsers,
  type ListReading,
  type ShownUsers,
} from './record-view.ts';
import type { AnswerSchemaName, RequestSchemaName } from './schemas.ts';

export interface RecordPorts {
  readonly changes: KeyChanges;
  readonly keys: () => KeySnapshot | null;
  readonly config: () => Config;
  readonly source: Pick<ListedKeySource, 'lists'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Policies or address lists: where they are reached, what they are called, and how one is shown and read. */
interface Resource<T> {
  readonly kind: RecordKind<T>;
  readonly word: string;
  readonly operations: { readonly one: string; readonly many: string };
  readonly schemas: {
    readonly one: AnswerSchemaName;
    readonly many: AnswerSchemaName;
    readonly body: RequestSchemaName;
  };
  readonly show: (name: string, definition: T, usedBy: ShownUsers) => object;
  readonly read: (body: unknown, name: string) => Read<T>;
  /** What names it beside keys and policies. */
  readonly configuration: (name: string) => readonly string[];
}

export function recordOperations(ports: RecordPorts): Operation[] {
  const { changes, keys, config, source, now } = ports;
  const readingOf = (name: string): ListReading => ({
    status: source.lists().find((list) => list.name === name),
    set: keys()?.lists.get(name),
    now: now(),
  });
  const policies: Resource<PolicyDefinition> = {
    kind: POLICIES,
    word: 'policy',
    operations: { one: 'Policy', many: 'Policies' },
    schemas: { one: 'Policy', many: 'PolicyList', body: 'PolicyReplacement' },
    show: showPolicy,
    read: readPolicyBody,
    configuration: () => [],
  };
  const lists: Resource<AddressListDefinition> = {
    kind: LISTS,
    word: 'address list',
    operations: { one: 'AddressList', many: 'AddressLists' },
    schemas: { one: 'AddressList', many: 'AddressLists', body: 'AddressListReplacement' },
    show: (name, definition, usedBy) => showList(name, definition, usedBy, readingOf(name)),
    read: (body, name) => readListBody(body, name, keys()?.lists.get(name)),
    configuration: (name) => listUsersIn(config(), name),
  };
  return [...operationsFor(policies, changes), ...operationsFor(lists, changes)];
}

function operationsFor<T extends object>(resource: Resource<T>, changes: KeyChanges): Operation[] {
  const { kind, word, operations, schemas } = resource;
  const { list, get, put, remove } = handlersFor(resource, changes);
  const path = `/api/${kind.section}/{name}`;
  const one = { status: 200, schema: schemas.one } as const;
  const conditional = ['not_found', 'precondition_failed', 'precondition_required', ...WRITE_PROBLEMS] as const;
  return [
    {
      method: 'GET',
      path: `/api/${kind.section}`,
      operationId: `list${operations.many}`,
      access: 'viewer',
      summary: `Every ${word}.`,
      success: { status: 200, schema: schemas.many },
      problems: ['source_unavailable'],
      handle: list,
    },
    {
      method: 'GET',
      path,
      operationId: `get${operations.one}`,
      access: 'viewer',
      summary: `One ${word}.`,
      success: one,
      headers: ['ETag'],
      problems: ['not_found', 'malformed_definition', 'source_unavailable'],
      handle: get,
    },
    {
      method: 'PUT',
      path,
      operationId: `put${operations.one}`,
      access: 'editor',
      summary: `Replace the ${word}, or create it. What would make a key unusable is refused.`,
      body: schemas.body,
      ifMatch: 'optional',
      creates: true,
      success: one,
      headers: ['ETag'],
      problems: ['invalid_definition', ...conditional],
      handle: put,
    },
    {
      method: 'DELETE',
      path,
      operationId: `delete${operations.one}`,
      access: 'editor',
      summary: `Remove the ${word}, if nothing uses it.`,
      ifMatch: 'required',
      success: { status: 204, schema: null },
      problems: ['in_use', ...conditional],
      handle: remove,
    },
  ];
}

function handlersFor<T extends object>(resource: Resource<T>, changes: KeyChanges) {
  const { kind, word, show, read, configuration } = resource;
  const missing = problem('not_found', `There is no such ${word}.`);
  const shown = (name: string, definition: T, users: RecordUsers, status = 200): Answer => ({
    status,
    headers: { etag: entityTag({ id: name, definition }) },
    body: show(name, definition, showUsers(users, configuration(name))),
  });

  const list = async (): Promise<Answer> => {
    const set = await changes.everything();
    if ('code' in set) return set;
    const users = usersByName(kind, set);
    const loaded = [...kind.of(set.records).values()];
    const usedBy = (name: string): ShownUsers =>
      showUsers(users.get(name) ?? { keys: [], policies: [] }, configuration(name));
    return {
      status: 200,
      body: {
        [kind.section]: loaded.flatMap((one) =>
          'definition' in one ? [show(one.id, one.definition, usedBy(one.id))] : [],
        ),
        invalid: loaded.flatMap((one) => ('invalid' in one ? [{ name: one.id, why: one.invalid }] : [])),
      },
    };
  };

  const get = async ({ params: { name = '' } }: Call): Promise<Answer> => {
    const set = await changes.everything();
    if ('code' in set) return set;
    const stored = kind.of(set.records).get(name);
    if (stored === undefined) return missing;
    if ('invalid' in stored) return { ...malformed(word, stored.invalid), headers: { etag: entityTag(stored) } };
    return shown(name, stored.definition, usersOf(kind, name, set));
  };

  const put = async (call: Call): Promise<Answer> => {
    const { name = '' } = call.params;
    let usedBy: RecordUsers = { keys: [], policies: [] };
    const updated = await changes.updateRecord<T>(
      call,
      { kind, name, action: 'put' },
      (stored, users): Change<AdminProblem, T> => {
        usedBy = users;
        const refused = putProblem(call, stored, { missing, word });
        if (refused !== null) return { refused };
        const sent = read(call.body, name);
        return sent.ok
          ? { next: sent.value }
          : { refused: invalid('invalid_definition', fieldFindings(sent.findings)) };
      },
    );
    if ('code' in updated) return updated;
    return shown(name, updated.after as T, usedBy, call.ifMatch === undefined ? 201 : 200);
  };

  const remove = async (call: Call): Promise<Answer> => {
    const { name = '' } = call.params;
    const updated = await changes.updateRecord<T>(
      call,
      { kind, name, action: 'delete' },
      (stored, users): Change<AdminProblem, T> => {
        const refused = ifMatchProblem(call, stored, { missing, word });
        if (refused !== null) return { refused };
        const inUse = inUseProblem(word, showUsers(users, configuration(name)));
        return inUse === null ? { next: null } : { refused: inUse };
      },
    );
    return 'code' in updated ? updated : { status: 204 };
  };
  return { list, get, put, remove };
}

const malformed = (word: string, why: string): AdminProblem =>
  problem(
    'malformed_definition',
    `What is stored under this name is no ${word}: ${why}. It can be replaced or deleted.`,
  );
