/**
 * What the admin API takes and sends of keys. As shown, a key has every field; a secret shows as its id alone, and is never
 * taken back as anything else.
 */
import { z } from 'zod';
import { instant, secretText, whole } from '../config/values.ts';
import { KeyDefinitionSchema, PolicySchema } from '../keys/definition-schema.ts';
import { TOKEN_USES } from '../keys/key.ts';

/** The longest time for which a rotated secret goes on working: 90 days. */
const MAX_OVERLAP_SECONDS = 7_776_000;

/** The id of a secret, as it is shown and as a path names it. */
export const secretId = z
  .string({ error: 'must be the id of a secret' })
  .regex(/^[0-9a-f]{12}$/, { error: 'must be the first 12 hex digits of the hash of the secret' })
  .describe('The first 12 hex digits of the hash.');

const ShownSecretSchema = z.strictObject(
  { id: secretId, expiresAt: instant.nullable().describe('When it stops working; null: never.') },
  { error: 'must be { id, expiresAt } as it is shown' },
);

const ShownApiKeySchema = z.strictObject(
  { id: secretId },
  { error: 'must be { id } as it is shown, or a new API key' },
);

const ShownAddresses = z.array(
  z.union([z.strictObject({ address: z.string(), description: z.string() }), z.strictObject({ list: z.string() })]),
);

const common = KeyDefinitionSchema.omit({ id: true, secret: true, secrets: true, apiKey: true });

const inherited = z
  .array(z.string())
  .describe('Fields that the key has from its policy. Sent back as shown, they stay so.');

const apiKeyText = secretText.describe('The API key that metrics clients send, or its hash.').meta({ writeOnly: true });

export const KeyDefinition = PolicySchema.required()
  .extend({
    id: KeyDefinitionSchema.shape.id,
    policy: z.string().nullable().describe('The policy whose fields hold where the key says nothing itself.'),
    inherited,
    secrets: z.array(ShownSecretSchema),
    allowFrom: z.union([z.literal('anywhere'), ShownAddresses]),
    denyFrom: ShownAddresses,
    allowedOrigins: z.array(z.string()),
    accessToken: z.enum(TOKEN_USES),
    apiKey: ShownApiKeySchema.nullable().describe('Metrics keys: which API key is set.'),
  })
  .describe('A key with all that holds for it. A field that has no meaning for the type is null.');

export const NewKey = common
  .extend({
    id: KeyDefinitionSchema.shape.id,
    inherited: inherited.optional(),
    apiKey: apiKeyText.nullable().optional(),
  })
  .describe('A key to create. Its secret is made here, and so is the `apiKey` of a metrics key that is left out.');

export const KeyReplacement = common
  .extend({
    id: KeyDefinitionSchema.shape.id.optional().describe('If given, that of the path.'),
    inherited: inherited.optional(),
    secrets: z
      .array(ShownSecretSchema, { error: 'must be a list of secrets as they are shown, or be left out' })
      .nullable()
      .optional()
      .describe('As shown, or left out. Secrets are neither added, changed nor removed by a replacement.'),
    apiKey: z
      .union([ShownApiKeySchema, apiKeyText], { error: 'must be { id } as it is shown, or a new API key' })
      .nullable()
      .optional()
      .describe('As shown, or left out: the API key stays. Text: the new one.'),
  })
  .describe(
    'The whole definition as it should be from now on; what is left out takes its default, except the secrets.',
  );

export const KeyList = z.strictObject({
  keys: z.array(KeyDefinition),
  invalid: z
    .array(z.strictObject({ id: z.string(), why: z.string() }))
    .describe('Stored definitions that cannot be read; each disables that one key.'),
});

export const KeysQuery = z.strictObject({
  of: z
    .enum(['stored', 'inForce'], { error: 'must be stored or inForce' })
    .optional()
    .describe(
      '`stored`, the default: as they are in the key file or in Redis. `inForce`: those that requests are judged by, also while the source cannot be read; without descriptions, and not to be sent back.',
    ),
});

export const CreatedKey = z.strictObject({
  key: KeyDefinition,
  secret: z.string().describe('Shown this once, and kept nowhere.'),
  apiKey: z.string().optional().describe('Of a metrics key, when it was made here. Shown this once.'),
});

export const Rotation = z.strictObject({
  overlapSeconds: whole(0, MAX_OVERLAP_SECONDS).describe('How long the older secrets go on working; 0: not at all.'),
});

export const CreatedSecret = z.strictObject({
  id: secretId,
  secret: z.string().describe('Shown this once, and kept nowhere.'),
});
