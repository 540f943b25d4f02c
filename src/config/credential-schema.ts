/**
 * Where the keys of an API's callers may stand, and what its backend gets in each of these places, as an operator writes it. It
 * judges what is written and reads no request.
 */
import { z } from 'zod';
import { nearestName } from './nearest.ts';
import { choice, SECRET, secretText } from './values.ts';

const NAME = '[A-Za-z0-9_.$~-]+';
/** A member of the body, or the way to one: `token`, `properties/token`, `[]/token`. */
const MEMBER = `(?:(?:${NAME}|\\[\\])/)*${NAME}`;
const PLACE = new RegExp(`^(?:bearer|basic-username|header:[!#$%&'+.^_\`|~0-9A-Za-z-]+|query:${NAME}|body:${MEMBER})$`);
const PLACE_FORM = 'must be bearer, basic-username, header:NAME, query:NAME or body:NAME';

const JUDGED_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'origin',
  'cookie',
]);

const PlaceSchema = z
  .string({ error: PLACE_FORM })
  .regex(PLACE, { error: PLACE_FORM })
  .refine((place) => !JUDGED_HEADERS.has(place.toLowerCase().replace(/^header:/, '')), {
    error: 'must not be a header that has a meaning of its own; use "bearer" for Authorization',
  });

/** A place as it is compared: the name of a header in lower case. */
export const inOneCase = (place: string): string => (place.startsWith('header:') ? place.toLowerCase() : place);

/** In order; a header's name in lower case. */
export const CredentialSchema = z
  .array(PlaceSchema.transform(inOneCase), {
    error: 'must be a list of places, such as [bearer, "header:x-api-key"]',
  })
  .min(1, { error: 'must name at least one place' });

const HANDED = 'must be "strip", "pass" or the whole value to send, such as "Bearer ..."';

/** Free text, so that a slip of the pen in `strip` would be sent to the backend as a credential. */
const HandedSchema = z.union(
  [
    choice(['strip', 'pass']),
    secretText.meta(SECRET).refine((value) => nearestName(value.toLowerCase(), ['strip', 'pass']) === null, {
      error: `${HANDED}; this looks like a misspelt word`,
    }),
  ],
  { error: HANDED },
);

/** One text for every place, or one for each. */
export const AuthorizationSchema = z.union([HandedSchema, z.record(PlaceSchema, HandedSchema)], {
  error: `${HANDED}, or one such text for each place`,
});

export type AuthorizationConfig = string | Readonly<Record<string, string>>;

/** The places for which a text is written and in which no key is looked for: as they are written. */
export function placesWithout(written: AuthorizationConfig, credential: readonly string[]): readonly string[] {
  if (typeof written === 'string') return [];
  return Object.keys(written).filter((place) => !credential.includes(inOneCase(place)));
}
