/**
 * The JSON Schema of the configuration, the same for every file. In the bundle its text stands in place of this file: to make it takes
 * longer than to read a configuration. Validates nothing.
 */
import { jsonSchemaOf, type JsonSchema } from './json-schema.ts';
import { ConfigSchema } from './schema.ts';

export const CONFIG_JSON_SCHEMA: JsonSchema = jsonSchemaOf(ConfigSchema);
