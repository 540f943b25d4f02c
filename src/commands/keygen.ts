/**
 * `postern keygen`: a new secret and its hash, ready to paste. The secret is shown this once and kept nowhere.
 */
import { randomBytes } from 'node:crypto';
import type { KeyType } from '../keys/key.ts';
import { hashSecret } from '../keys/secret-hash.ts';
import { makeSecret } from '../keys/secret.ts';
import type { CommandIo } from './io.ts';

/** Prints the secret, for the client, and the hash, for the key file. Exit code: 0. */
export async function runKeygen({ type }: { readonly type: KeyType }, io: CommandIo): Promise<number> {
  const secret = makeSecret(type, randomBytes);
  io.stdout(`secret: ${secret}\nhash: ${hashSecret(secret)}`);
  return 0;
}
