/**
 * The hash under which a secret is kept. Keeps no secret.
 */
import { sha256Hex } from '../lib/digest.ts';
import type { SecretHash } from './definition.ts';

/** SHA-256 of its UTF-8 bytes. */
export const hashSecret = (secret: string): SecretHash => `sha256:${sha256Hex(secret)}`;
