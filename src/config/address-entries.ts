/**
 * How lists of addresses are written, wherever one may stand: an address, a range, or one of them with a description.
 */
import { z } from 'zod';
import { addressRange } from './values.ts';

const AddressEntrySchema = z.union(
  [
    addressRange,
    z.strictObject({
      address: addressRange.describe('An address, or a range such as `2001:db8:1::/48`.'),
      description: z.string({ error: 'must be text' }).default('').describe('Whose address it is.'),
    }),
  ],
  { error: 'must be an address, a range, or { address, description }' },
);

export const AddressEntriesSchema = z.array(AddressEntrySchema, { error: 'must be a list of addresses and ranges' });

export const AllowFromSchema = z.union([z.literal('anywhere'), AddressEntriesSchema], {
  error: 'must be "anywhere" or a list of addresses and ranges',
});

export type AddressEntry = z.output<typeof AddressEntrySchema>;
