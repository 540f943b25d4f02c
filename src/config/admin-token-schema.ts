/**
 * Who may use the admin API and the console: tokens with a name and a role. What two tokens must not have in common is said here,
 * too. Compares nothing with what a caller sends.
 */
import { z } from 'zod';
import { sha256Hex } from '../lib/digest.ts';
import { recordName } from './address-entries.ts';
import { choice, SECRET, secretHash, secretValue } from './values.ts';

/** A viewer reads and explains; an editor may change everything. */
export const ADMIN_ROLES = ['viewer', 'editor'] as const;
export type AdminRole = (typeof ADMIN_ROLES)[number];

/** The name of `admin.token`. */
export const ADMIN_ID = 'admin';

/** In the history these say where a change was seen that nobody made here. */
const TAKEN_IDS: ReadonlySet<string> = new Set(['file', 'redis']);

const AdminTokenSchema = z
  .strictObject({
    id: recordName
      .refine((id) => !TAKEN_IDS.has(id), {
        error: 'must be another name: in the history `file` and `redis` stand for changes that were not made here',
      })
      .describe('Whose token it is; in the log and in the history of changes.'),
    hash: secretHash.optional().meta({
      ...SECRET,
      description: 'The token as `sha256:<64 hex digits>`, as `postern hash` prints it.',
    }),
    value: secretValue.optional().meta({
      ...SECRET,
      description: 'The token itself, best as a reference: `${ANNA_TOKEN}` or `${file:/run/secrets/anna}`.',
    }),
    role: choice(ADMIN_ROLES).describe('`viewer`: reads everything and explains. `editor`: also changes it.'),
  })
  .superRefine(({ hash, value }, context) => {
    if ((hash === undefined) === (value === undefined))
      context.addIssue({ code: 'custom', message: 'must hold either `hash` or `value`' });
  });

export const AdminTokensSchema = z
  .array(AdminTokenSchema, { error: 'must be a list of { id, hash or value, role }' })
  .default([])
  .describe('Tokens for the API and the console, each with a name and a role. Takes effect at a reload.');

interface Tokens {
  readonly token: string | null;
  readonly tokens: z.output<typeof AdminTokensSchema>;
}

/** Digest of a token, 64 lower-case hex digits. */
export const adminTokenDigest = ({ hash, value }: Tokens['tokens'][number]): string =>
  hash?.slice('sha256:'.length).toLowerCase() ?? sha256Hex(value ?? '');

/** One name, one token: whoever sent a token must be one person with one role. */
export function refuseTwins({ token, tokens }: Tokens, context: z.core.$RefinementCtx): void {
  const names = new Map<string, string>(token === null ? [] : [[ADMIN_ID, '`admin.token`']]);
  const digests = new Map<string, string>(token === null ? [] : [[sha256Hex(token), '`admin.token`']]);
  tokens.forEach((entry, index) => {
    const [here, digest] = [`\`admin.tokens[${index}]\``, adminTokenDigest(entry)];
    const [namesake, twin] = [names.get(entry.id), digests.get(digest)];
    if (namesake !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['tokens', index, 'id'],
        message: `is already the name of ${namesake}`,
      });
    if (twin !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['tokens', index, entry.hash === undefined ? 'value' : 'hash'],
        message: `is the token of ${twin}; each needs its own`,
      });
    names.set(entry.id, here);
    digests.set(digest, here);
  });
}
