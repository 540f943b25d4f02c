/**
 * What a caller showed as its credential, and the digest that it is looked up by, which is made once. Whose it is is not known here.
 */
import { sha256HexOfHeader } from '../lib/digest.ts';

export class ShownCredential {
  /** One character for each byte, as Node hands header values over (latin1), or text. */
  readonly text: string;
  #digest: string | null = null;

  constructor(text: string) {
    this.text = text;
  }

  /** SHA-256, hex. */
  get digest(): string {
    return (this.#digest ??= sha256HexOfHeader(this.text));
  }
}

/** The `token68` of the scheme Bearer (RFC 6750 2.1), and whatever else stands in its place; null for other schemes. */
export function bearerIn(authorization: string): ShownCredential | null {
  const text = BEARER.exec(authorization)?.[1];
  return text === undefined ? null : new ShownCredential(text);
}

const BEARER = /^bearer +(\S.*)$/i;
