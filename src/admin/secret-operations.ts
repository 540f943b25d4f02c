/**
 * Secrets of a key over the admin API: a new one beside the old ones for an overlap, and one less at once. A secret is shown
 * when it is made, and never again.
 */
import type { KeyDefinition, SecretDefinition } from '../keys/definition.ts';
import type { Change } from '../keys/key-store.ts';
import { hashSecret } from '../keys/secret-hash.ts';
import type { KeySnapshot } from '../keys/key.ts';
import { makeSecret } from '../keys/secret.ts';
import type { LoadedDefinition } from '../keys/definition.ts';
import { entityTag, matches, secretIdOf } from './definition-view.ts';
import type { KeyChanges } from './key-changes.ts';
import { malformed, noSuchKey, STALE, WRITE_PROBLEMS } from './key-operations.ts';
import { readInput, type Answer, type Call, type Operation } from './operation.ts';
import { problem, type AdminProblem } from './problem.ts';
import { Rotation } from './key-schemas.ts';

export interface SecretPorts {
  readonly changes: KeyChanges;
  readonly random: (bytes: number) => Uint8Array;
  readonly keys: () => KeySnapshot | null;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function secretOperations({ changes, keys, random, now }: SecretPorts): Operation[] {
  const rotate = async (call: Call): Promise<Answer> => {
    const read = readInput(Rotation, call.body);
    if (!read.ok) return changes.writable() ?? read.problem;
    const { id = '' } = call.params;
    const stored = await changes.get(id);
    if (stored !== null && 'code' in stored) return stored;
    const own = stored !== null && 'definition' in stored ? stored.definition.type : undefined;
    // A key that has its type from its policy is known by the keys in use.
    const secret = makeSecret(own ?? keys()?.byId.get(id)?.type ?? 'write-only', random);
    const hash = hashSecret(secret);
    const secretId = secretIdOf(hash);
    const updated = await changes.update(call, { id, action: 'rotate_secret', secretId }, (current) =>
      ifThere(call, current, (definition) => ({
        next: {
          ...definition,
          secrets: [...ending(definition.secrets, now(), read.value.overlapSeconds), { hash, expiresAt: null }],
        },
      })),
    );
    return 'code' in updated ? updated : { status: 201, body: { id: secretId, secret } };
  };

  const remove = async (call: Call): Promise<Answer> => {
    const { id = '', secretId = '' } = call.params;
    const updated = await changes.update(call, { id, action: 'delete_secret', secretId }, (current) =>
      ifThere(call, current, (definition) => {
        const secrets = definition.secrets.filter(({ hash }) => secretIdOf(hash) !== secretId);
        if (secrets.length === definition.secrets.length)
          return { refused: problem('not_found', 'The key has no such secret.') };
        return secrets.length === 0 ? { refused: LAST_SECRET } : { next: { ...definition, secrets } };
      }),
    );
    return 'code' in updated ? updated : { status: 204 };
  };

  const problems = ['not_found', 'malformed_definition', 'precondition_failed', ...WRITE_PROBLEMS] as const;
  return [
    {
      method: 'POST',
      path: '/api/keys/{id}/secrets',
      operationId: 'rotateSecret',
      access: 'editor',
      ifMatch: 'optional',
      summary: 'Make a new secret; the older ones end after the overlap.',
      body: 'Rotation',
      repeatable: true,
      success: { status: 201, schema: 'CreatedSecret' },
      problems,
      handle: rotate,
    },
    {
      method: 'DELETE',
      path: '/api/keys/{id}/secrets/{secretId}',
      operationId: 'deleteSecret',
      access: 'editor',
      summary: 'Remove a secret, at once.',
      ifMatch: 'optional',
      success: { status: 204, schema: null },
      problems: [...problems, 'last_secret'],
      handle: remove,
    },
  ];
}

const LAST_SECRET: AdminProblem = problem(
  'last_secret',
  'This is the last secret of the key. Make another one first, or disable or delete the key.',
);

/** Nothing that the caller saw before is written back, so `If-Match` is obeyed but not required. */
function ifThere(
  { ifMatch }: Call,
  stored: LoadedDefinition | null,
  change: (definition: KeyDefinition) => Change<AdminProblem>,
): Change<AdminProblem> {
  if (stored === null) return { refused: noSuchKey };
  if (ifMatch !== undefined && !matches(ifMatch, entityTag(stored))) return { refused: STALE };
  return 'invalid' in stored ? { refused: malformed(stored.invalid) } : change(stored.definition);
}

/** The secrets that go on until the overlap is over, or until their own earlier end; those that are over already go. */
function ending(secrets: readonly SecretDefinition[], now: number, overlapSeconds: number): SecretDefinition[] {
  const end = now + overlapSeconds * 1000;
  return secrets.flatMap(({ hash, expiresAt }) => {
    const own = expiresAt === null ? Infinity : Date.parse(expiresAt);
    if (own <= now) return [];
    return [{ hash, expiresAt: own <= end ? expiresAt : new Date(end).toISOString() }];
  });
}
