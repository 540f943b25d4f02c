/**
 * What the admin API takes and sends of policies and address lists. As shown, each has its name and who uses it; both may be sent back.
 */
import { z } from 'zod';
import { recordName } from '../config/address-entries.ts';
import { PolicySchema } from '../keys/definition-schema.ts';
import { AddressListSchema } from '../keys/list-definition.ts';

const UsedBy = z
  .strictObject({
    keys: z.array(z.string()).describe('Ids of keys, at most 1,000.'),
    policies: z.array(z.string()),
    configuration: z.array(z.string()).describe('Fields of postern.yaml, such as `listen.denyFrom`.'),
    total: z.int(),
  })
  .describe('What names it. What is in use cannot be deleted.');

const shown = { name: recordName, usedBy: UsedBy };

const Invalid = z
  .array(z.strictObject({ name: z.string(), why: z.string() }))
  .describe('What is stored and cannot be read; the keys that use it cannot be used.');

const ShownItem = z.union([
  z.strictObject({ address: z.string(), description: z.string() }),
  z.strictObject({ list: z.string() }),
]);

export const Policy = PolicySchema.extend({
  ...shown,
  allowFrom: z.union([z.literal('anywhere'), z.array(ShownItem)]).optional(),
  denyFrom: z.array(ShownItem).optional(),
}).describe('The fields that its keys share. What it does not say, it leaves to them.');

export const PolicyList = z.strictObject({ policies: z.array(Policy), invalid: Invalid });

export const PolicyReplacement = PolicySchema.extend({
  name: recordName.optional().describe('If given, that of the path.'),
  usedBy: z.unknown().optional().describe('As shown. It changes nothing.'),
}).describe('The whole policy as it should be from now on.');

export const AddressList = z
  .strictObject({
    ...shown,
    kind: z.enum(['literal', 'file', 'url']),
    file: z.string().optional(),
    url: z.string().optional(),
    refreshMinutes: z.int().optional(),
    maxEntries: z.int().optional(),
    entries: z
      .array(z.strictObject({ address: z.string(), description: z.string() }))
      .describe(
        'Of a literal list, all; of others the first 1,000 networks that are in use, joined where one holds another.',
      ),
    total: z.int().describe('How many entries are in use.'),
    up: z.boolean().describe('Whether the last reading could be believed.'),
    why: z.string().nullable().describe('What was wrong with it.'),
    lastSuccessAt: z.iso.datetime().nullable(),
    ageSeconds: z.int().nullable().describe('How old the entries in use are; null: there are none yet.'),
  })
  .describe('An address list, and how its reading stands in this process.');

export const AddressLists = z.strictObject({ lists: z.array(AddressList), invalid: Invalid });

const ignored = z.unknown().optional().describe('As shown. It changes nothing.');

export const AddressListReplacement = z
  .union([
    AddressListSchema,
    z.strictObject({
      name: recordName.optional(),
      kind: ignored,
      file: z.string().optional(),
      url: z.string().optional(),
      refreshMinutes: z.int().optional(),
      maxEntries: z.int().optional(),
      entries: z.array(z.unknown()).optional().describe('Of a literal list. Of others as shown, or left out.'),
      usedBy: ignored,
      total: ignored,
      up: ignored,
      why: ignored,
      lastSuccessAt: ignored,
      ageSeconds: ignored,
    }),
  ])
  .describe('The definition as in a key file: a list of addresses, `{ file }` or `{ url }`; or a list as it is shown.');

const Route = z.strictObject({
  method: z.string(),
  path: z.string(),
  events: z.boolean().describe('Carries events.'),
  public: z.boolean().describe('Needs no key.'),
  pages: z.boolean().describe('May be read with a write-only key.'),
});

export const ApiList = z.strictObject({
  apis: z.array(
    z.strictObject({
      name: z.string(),
      paths: z.array(z.string()),
      unlisted: z.enum(['allow', 'refuse']).describe('What holds for paths that no route lists.'),
      tokens: z.boolean().describe('Issues access tokens.'),
      routes: z.array(Route),
    }),
  ),
});
