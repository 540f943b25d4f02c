/**
 * Which text can be a secret: what can be sent as a credential in a header without being changed on its way (RFC 9110 5.5). Knows
 * no validator, so that a command can ask without loading one.
 */

export const LONGEST_SECRET = 4096;
export const SECRET_TEXT = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/;

export const EMPTY_SECRET = 'must not be empty';
export const LONG_SECRET = `must not be longer than ${LONGEST_SECRET} characters`;

/** Why a text does not match `SECRET_TEXT`. */
export const oddSecret = (text: string): string =>
  /[\r\n]$/.test(text)
    ? 'must not end with a line break; set it without (${file:PATH} cuts one)'
    : 'must be printable ASCII without a space at either end, because it is sent in a header';

/** What is wrong with a secret, as the rest of a sentence; null: nothing. */
export function secretProblem(text: string): string | null {
  if (text === '') return EMPTY_SECRET;
  if (text.length > LONGEST_SECRET) return LONG_SECRET;
  return SECRET_TEXT.test(text) ? null : oddSecret(text);
}
