/**
 * How lists of addresses are written, wherever one may stand: an address, a range, one of them with a description, or the name of
 * an address list.
 */
import { z } from 'zod';
import { addressRange } from './values.ts';

const NAME_RULE = 'must be 1 to 64 lower-case letters, digits, ".", "_" or "-", starting with a letter or digit';

/** How keys, policies and address lists are named. */
export const recordName = z
  .string({ error: 'must be text; put it in quotes' })
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, { error: NAME_RULE });

const DescribedAddressSchema = z.strictObject({
  address: addressRange.describe('An address, or a range such as `2001:db8:1::/48`.'),
  description: z.string({ error: 'must be text' }).default('').describe('Whose address it is.'),
});

/** An entry of a list that is itself one of the address lists, which name no others. */
export const LiteralAddressSchema = z.union([addressRange, DescribedAddressSchema], {
  error: 'must be an address, a range, or { address, description }',
});

const AddressEntrySchema = z.union(
  [
    addressRange,
    DescribedAddressSchema,
    z.strictObject({ list: recordName.describe('A name under `addressLists` of the key file.') }),
  ],
  { error: 'must be an address, a range, { address, description } or { list }' },
);

export const AddressEntriesSchema = z.array(AddressEntrySchema, { error: 'must be a list of addresses and ranges' });

export const AllowFromSchema = z.union([z.literal('anywhere'), AddressEntriesSchema], {
  error: 'must be "anywhere" or a list of addresses and ranges',
});

export type AddressEntry = z.output<typeof AddressEntrySchema>;
