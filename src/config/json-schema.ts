/**
 * The files' schemas as JSON Schema (draft 2020-12), made from the same definitions that validate them, and what is known
 * of the field at a path: its fields, whether it is secret, which types it takes. Validates nothing itself.
 */
import { z } from 'zod';

/** The part of JSON Schema that the definitions produce. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly writeOnly?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  /** What every further field is; a boolean: whether there may be any. */
  readonly additionalProperties?: boolean | JsonSchema;
  readonly [keyword: string]: unknown;
}

/** The JSON Schema of what may be written (not of what reading makes of it). */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const made: unknown = z.toJSONSchema(schema, { io: 'input', override: keepDefault });
  return made as JsonSchema;
}

/** The same, made when it is first asked for: most are only needed to tell a mistake. */
export function jsonSchemaLater(schema: z.ZodType): () => JsonSchema {
  let made: JsonSchema | null = null;
  return () => (made ??= jsonSchemaOf(schema));
}

type Override = NonNullable<z.core.ToJSONSchemaParams['override']>;

/** The library leaves out the default of a field whose value is transformed, also one that is filled in later and told by `meta`. */
const keepDefault: Override = ({ zodSchema, jsonSchema }) => {
  if (zodSchema instanceof z.ZodDefault && jsonSchema.default === undefined)
    jsonSchema.default = zodSchema.meta()?.['default'] ?? zodSchema.def.defaultValue;
};

/** Every schema that a value at this path may have to meet: alternatives are taken apart. Empty for an unknown path. */
export function schemasAt(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema[] {
  let here = alternatives(schema);
  for (const step of path) {
    here = here.flatMap((candidate) => {
      const next = typeof step === 'number' ? candidate.items : fieldAt(candidate, String(step));
      return next === undefined ? [] : alternatives(next);
    });
  }
  return here;
}

/** The schema of a field: the one that has its name, else the one that all further fields share. */
function fieldAt({ properties = {}, additionalProperties }: JsonSchema, name: string): JsonSchema | undefined {
  if (Object.hasOwn(properties, name)) return properties[name];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

/** Names of the fields that an object at this path may have. */
export const fieldsAt = (schema: JsonSchema, path: readonly PropertyKey[]): string[] =>
  schemasAt(schema, path).flatMap((candidate) => Object.keys(candidate.properties ?? {}));

/**
 * Whether what was written at this path may be a secret or hold one: so may a text that stands in place of a mapping or a list of
 * secrets.
 */
export const mayShowSecretAt = (schema: JsonSchema, path: readonly PropertyKey[]): boolean =>
  schemasAt(schema, path).some(holdsSecret);

/** Whether the schema, or one of a field or an item under it, is that of a secret. */
function holdsSecret(schema: JsonSchema): boolean {
  if (schema.writeOnly === true) return true;
  const { properties = {}, items, anyOf = [], additionalProperties } = schema;
  const inner = [...Object.values(properties), ...anyOf];
  if (items !== undefined) inner.push(items);
  if (typeof additionalProperties === 'object') inner.push(additionalProperties);
  return inner.some(holdsSecret);
}

/** Whether a value of this JSON type is among those that may stand at this path. */
export const takesType = (schemas: readonly JsonSchema[], type: string): boolean =>
  schemas.some(({ type: own }) => own === type || (Array.isArray(own) && own.includes(type)));

/** `writeOnly` of an alternative's parent holds for the alternative. */
function alternatives(schema: JsonSchema): JsonSchema[] {
  if (schema.anyOf === undefined) return [schema];
  return schema.anyOf
    .flatMap(alternatives)
    .map((option) => (schema.writeOnly ? { ...option, writeOnly: true } : option));
}
