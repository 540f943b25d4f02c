/**
 * The section `observe` of postern.yaml: whether and where what callers do is counted. Reads no file.
 */
import { z } from 'zod';
import { whole } from './values.ts';

/** `memory`, `redis`, or `file:` and a path. */
const STORE = /^(?:memory|redis|file:[^\0]+)$/;

const WRONG_STORE = 'must be "memory", "redis" or a file such as "file:/var/lib/postern/observed.json"';

export const ObserveSchema = z
  .strictObject({
    enabled: z
      .boolean({ error: 'must be true or false' })
      .default(false)
      .describe('Count what callers do, so that a policy can be made from it.'),
    days: whole(1, 90).default(30).describe('How many days are kept.'),
    store: z
      .string({ error: WRONG_STORE })
      .regex(STORE, { error: WRONG_STORE })
      .default('memory')
      .describe(
        'Where it is kept: `memory` forgets it at the end of the process; `file:PATH` is written at most every 10 s, and read at the start; `redis` joins what all replicas saw.',
      ),
  })
  .prefault({})
  .describe('What callers do, counted. Changes nothing by itself.');
