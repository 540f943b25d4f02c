/**
 * Numbers in the query of a request: text on the way, and described as the numbers that they are.
 */
import { z } from 'zod';

/** A whole number within limits, both included, written without a sign or leading zeros. Read with `Number`. */
export const wholeInQuery = (least: number, most: number): z.ZodString =>
  z
    .string({ error: 'must be given once' })
    .refine((text) => /^[1-9]\d*$/.test(text) && Number(text) >= least && Number(text) <= most, {
      error: `must be a whole number from ${least} to ${most}`,
    })
    .meta({ type: 'integer', minimum: least, maximum: most });
