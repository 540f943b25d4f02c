/**
 * What can be said of the access tokens of an API in postern.yaml. Types, limits, defaults and descriptions stand here once.
 */
import { z } from 'zod';
import { plainPath, SECRET, text, whole } from './values.ts';

const MIN_TOKEN_SECRET_BYTES = 32;

const tokenSecret = z
  .string({ error: 'must be text; put it in quotes' })
  .refine((secret) => Buffer.byteLength(secret) >= MIN_TOKEN_SECRET_BYTES, {
    error: `must be at least ${MIN_TOKEN_SECRET_BYTES} bytes long (RFC 7518 3.2); \`openssl rand -base64 32\` makes one`,
  })
  .meta(SECRET);

export const TokenSchema = z
  .strictObject({
    path: plainPath
      .nullable()
      .default(null)
      .describe(
        'Where tokens are issued: one path under the `paths` of the API. Required; of the API named `metrics` it is `/metrics/auth/token`.',
      ),
    ttlSeconds: whole(60, 3600).default(900).describe('How long an access token is valid.'),
    secret: z
      .union([tokenSecret, z.array(tokenSecret).min(1, { error: 'must hold at least one secret' })], {
        error: 'must be a secret, as text in quotes, or a list of secrets',
      })
      .nullable()
      .default(null)
      .transform((secret): readonly string[] | null => (typeof secret === 'string' ? [secret] : secret))
      .describe(
        'Signs access tokens with HS256; at least 32 bytes. A list rotates: the first signs, all verify. null: made at start, which suits a single instance.',
      ),
    privateKeyFile: text()
      .nullable()
      .default(null)
      .describe(
        'PEM file of an Ed25519 or P-256 key; tokens are then EdDSA or ES256, and the public keys are served as a JWKS. In place of `secret`.',
      ),
    issuer: text().default('postern').describe('The `iss` of access tokens.'),
  })
  .superRefine((token, context) => {
    if (token.secret !== null && token.privateKeyFile !== null)
      context.addIssue({
        code: 'custom',
        path: ['privateKeyFile'],
        message: 'cannot stand beside `secret`: tokens are signed by one of them; remove the other',
      });
  });
