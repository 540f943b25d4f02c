/**
 * Everything that the admin API takes and sends, by the name that it has in /openapi.json. What comes in is validated by these
 * schemas, and the document is made from them.
 */
import { z } from 'zod';
import { ADMIN_ROLES } from '../config/admin-token-schema.ts';
import { MAX_ENTRIES, MAX_TEXT } from './bounds.ts';
import { parseAddress } from '../lib/address.ts';
import {
  CreatedKey,
  CreatedSecret,
  KeyDefinition,
  KeyList,
  KeyReplacement,
  NewKey,
  Rotation,
  secretId,
} from './key-schemas.ts';
import { ChangeList } from './history/change.ts';
import { Observed, ObservedApi, Suggestion, WhatIf } from './observation-schemas.ts';

import { RejectionList, Summary } from './rejection-schemas.ts';
import {
  AddressList,
  AddressListReplacement,
  AddressLists,
  ApiList,
  Policy,
  PolicyList,
  PolicyReplacement,
} from './record-schemas.ts';

/** Text of bounded length. A longer one could not reach the data port either. */
const bounded = (most: number): z.ZodString =>
  z.string({ error: 'must be text' }).max(most, { error: `must not be longer than ${most} characters` });

/** Of a secret, as in a key file. */
const MAX_SECRET = 4096;
const MAX_KEY_ID = 64;
/** Of an IPv6 address with an IPv4 address as its end. */
const MAX_ADDRESS = 45;
/** Longer than any that Node knows. */
const MAX_METHOD = 64;

export const Question = z
  .strictObject({
    key: bounded(MAX_SECRET)
      .min(1, { error: 'must not be empty' })
      .optional()
      .meta({ writeOnly: true, description: 'The secret of the caller. Never repeated.' }),
    keyId: bounded(MAX_KEY_ID)
      .optional()
      .describe('The id of the key, in place of its secret. Without both, the request comes without a key.'),
    ip: bounded(MAX_ADDRESS)
      .refine((ip) => parseAddress(ip) !== null, { error: 'must be an IPv4 or IPv6 address' })
      .describe('The address of the peer.'),
    method: bounded(MAX_METHOD).min(1, { error: 'must not be empty' }),
    path: bounded(MAX_TEXT).min(1, { error: 'must not be empty' }).describe('With its query, if any.'),
    events: z
      .array(bounded(MAX_TEXT), { error: 'must be a list of event names' })
      .max(MAX_ENTRIES, { error: `must not hold more than ${MAX_ENTRIES} names` })
      .default([])
      .describe('Names of the events that the request would carry.'),
    origin: bounded(MAX_TEXT).nullable().default(null).describe('The Origin header of a browser.'),
  })
  .superRefine(({ key, keyId }, context) => {
    if (key !== undefined && keyId !== undefined)
      context.addIssue({ code: 'custom', path: ['key'], message: 'cannot stand beside `keyId`' });
  });

export const Explanation = z.strictObject({
  outcome: z.enum(['allowed', 'refused']),
  status: z.int().nullable().describe("Of the refusal; null when the backend's answer decides."),
  code: z.string().nullable(),
  keyId: z.string().nullable(),
  clientAddress: z.string(),
  chain: z.array(z.string()).describe('The X-Forwarded-For entries that were walked, right to left.'),
  removedEvents: z.int(),
  steps: z.array(
    z.strictObject({
      step: z.string(),
      verdict: z.enum(['passed', 'answered', 'refused', 'would_reject', 'not_reached']),
      reason: z.string(),
      rule: z.string().nullable().describe('What decided, where a rule did that has a name.'),
    }),
  ),
});

export const Configuration = z
  .looseObject({})
  .describe('The running configuration as in postern.yaml, with every default and without a secret.');

const Findings = z.array(
  z.strictObject({ field: z.string().describe('Such as `allowFrom[0].address`.'), message: z.string() }),
);

const instantOrNever = z.iso.datetime().nullable();

export const StatusQuery = z.strictObject({
  key: z
    .string({ error: 'must be given once' })
    .max(MAX_TEXT)
    .optional()
    .describe('Only the state of this key; empty: of none.'),
});

export const Status = z.strictObject({
  version: z.string(),
  keySource: z.strictObject({
    kind: z.enum(['file', 'redis']),
    up: z.boolean(),
    why: z.string().nullable().describe('Why it is not up.'),
    lastSyncAt: instantOrNever,
    readOnly: z.string().nullable().describe('Why keys cannot be changed here; null: they can.'),
  }),
  config: z.strictObject({ lastReloadSuccessful: z.boolean(), lastLoadedAt: z.iso.datetime() }),
  cache: z
    .strictObject({ bytes: z.int(), entries: z.int(), results: z.record(z.string(), z.int()) })
    .nullable()
    .describe('The cache of metric queries, and what it did with them since the start; null: there is none.'),
  keyCounts: z
    .strictObject({ active: z.int(), disabled: z.int(), expired: z.int(), invalid: z.int(), warned: z.int() })
    .describe('How many keys stand how; `warned`: how many of those in use have warnings.'),
  keys: z
    .array(
      z.strictObject({
        id: z.string(),
        state: z.enum(['active', 'disabled', 'expired', 'invalid']),
        why: z.string().nullable().describe('Why an invalid one is not used.'),
        secrets: z.array(
          z.strictObject({ id: secretId, lastUsedAt: instantOrNever.describe('In this process, since its start.') }),
        ),
        warnings: Findings.describe('Best practices that the definition does not follow.'),
      }),
    )
    .describe('The keys as they are in use; with `key` that one alone.'),
});

export const SessionRequest = z.strictObject({
  token: z
    .string({ error: 'must be text' })
    .max(4096, { error: 'must not be longer than 4096 characters' })
    .meta({ writeOnly: true }),
});

export const Session = z.strictObject({
  who: z.string().describe('The `id` of the token.'),
  role: z.enum(ADMIN_ROLES).describe('A `viewer` reads and explains, an `editor` also changes.'),
  expiresAt: z.iso
    .datetime()
    .nullable()
    .describe('When the session ends at the latest; an idle one ends sooner. null: the token itself was sent.'),
});

export const Problem = z
  .strictObject({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    findings: Findings.optional().describe('What is wrong, field by field.'),
  })
  .describe('RFC 9457.');

/** What is sent to the server. All others are sent by it. */
export const REQUEST_SCHEMAS = {
  NewKey,
  KeyReplacement,
  PolicyReplacement,
  AddressListReplacement,
  Rotation,
  Question,
  SessionRequest,
} as const;

export const ANSWER_SCHEMAS = {
  KeyDefinition,
  KeyList,
  CreatedKey,
  CreatedSecret,
  Policy,
  PolicyList,
  AddressList,
  AddressLists,
  ApiList,
  RejectionList,
  Summary,
  Explanation,
  Configuration,
  Status,
  Observed,
  ObservedApi,
  Suggestion,
  WhatIf,
  ChangeList,
  Session,
  Problem,
} as const;

export type RequestSchemaName = keyof typeof REQUEST_SCHEMAS;
export type AnswerSchemaName = keyof typeof ANSWER_SCHEMAS;
