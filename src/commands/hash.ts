/**
 * `postern hash`: the hash of a secret, as the key file holds it. The secret comes through standard input, so that it stands
 * in no shell history and no process list.
 */
import { secretProblem } from '../config/secret-text.ts';
import { hashSecret } from '../keys/secret-hash.ts';
import type { CommandIo } from './io.ts';

/** Reads one line and prints `sha256:...`. Exit codes: 0, or 2 when standard input holds nothing usable as a secret. */
export async function runHash(io: CommandIo): Promise<number> {
  const secret = (await io.secret()).replace(/\r?\n$/, '');
  const mistake = /[\r\n]/.test(secret) ? 'must be one line' : secretProblem(secret);
  if (mistake !== null) {
    io.stderr(`The secret on standard input ${mistake}.`);
    return 2;
  }
  io.stdout(hashSecret(secret));
  return 0;
}
