/**
 * The configuration as it may be shown: secrets replaced, the rest as it is in use. Which fields are secret is said where
 * they are defined.
 */
import { redactUrl } from '../lib/redact-urls.ts';
import { CONFIG_JSON_SCHEMA } from './config-json-schema.ts';
import { schemasAt, type JsonSchema } from './json-schema.ts';
import type { Config } from './schema.ts';

const REDACTED = '***';

/** A copy to show: every secret is `***`, and so are the credentials of URLs and the values of their queries. */
export const redactConfig = (config: Config): unknown => redactValue(config, [], CONFIG_JSON_SCHEMA);

function redactValue(value: unknown, path: readonly PropertyKey[], schema: JsonSchema): unknown {
  if (typeof value === 'string') {
    if (isSecretValue(value, path, schema)) return REDACTED;
    return value.includes('://') ? redactUrl(value) : value;
  }
  if (Array.isArray(value)) return value.map((item, index) => redactValue(item, [...path, index], schema));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, redactValue(inner, [...path, name], schema)]),
  );
}

/** Whether this text at this path is a secret. `strip` and `pass` stand where a secret may, and are none. */
export function isSecretValue(value: string, path: readonly PropertyKey[], schema: JsonSchema): boolean {
  const here = schemasAt(schema, path);
  return here.some(({ writeOnly }) => writeOnly === true) && !here.some((option) => option.enum?.includes(value));
}
