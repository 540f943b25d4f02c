/**
 * Reads a key file: into keys, policies and address lists, or into every finding that keeps it from being used. One mistake makes the
 * whole file unusable, because a file that is being written looks like one with mistakes. Watches nothing.
 */
import { z } from 'zod';
import { recordName } from '../config/address-entries.ts';
import { readYamlFile, readYamlText, type Environment, type YamlFile } from '../config/document.ts';
import { findingsOf, problemsOf, type Finding } from '../config/issue.ts';
import { jsonSchemaOf } from '../config/json-schema.ts';
import { hasErrors, inReadingOrder, type Problem } from '../config/problem.ts';
import { KeyDefinitionSchema, PolicySchema } from './definition-schema.ts';
import { NO_RECORDS, type KeyDefinition, type Loaded, type SharedRecords, type WholeDefinition } from './definition.ts';
import { AddressListSchema, readListDefinition } from './list-definition.ts';
import { readDefinition, readPolicy, type Read } from './read-definition.ts';
import { unknownApis, unknownLists, wholeDefinition } from './whole-definition.ts';

export interface LoadedKeyFile {
  /** null when any problem is an error. */
  readonly definitions: readonly KeyDefinition[] | null;
  /** Each definition with all that holds for the key, in the same order. */
  readonly wholes: readonly WholeDefinition[];
  /** Empty when any problem is an error. */
  readonly records: SharedRecords;
  readonly problems: readonly Problem[];
  /** The key file and every file that `${file:}` read. */
  readonly files: readonly string[];
  /** For further findings at the lines of the file. */
  readonly yaml: YamlFile;
}

export const KeyFileSchema = z.strictObject({
  keys: z.array(KeyDefinitionSchema, { error: 'must be a list of keys' }).describe('Every key that may be used.'),
  policies: z
    .record(recordName, PolicySchema, { error: 'must be a mapping from names to policies' })
    .optional()
    .describe('Fields that keys share, by the name under which keys say `policy`.'),
  addressLists: z
    .record(recordName, AddressListSchema, { error: 'must be a mapping from names to address lists' })
    .optional()
    .describe('Addresses by name, for `{ list: NAME }` wherever addresses are listed.'),
});

/** Made once: it is the same for every file. */
export const KEY_FILE_JSON_SCHEMA = jsonSchemaOf(KeyFileSchema);

/** Each part is read on its own, so that a mistake in one does not hide those in the others. */
const OuterSchema = z.strictObject({
  keys: z.array(z.unknown(), { error: 'must be a list of keys' }),
  policies: z.record(z.string(), z.unknown(), { error: 'must be a mapping from names to policies' }).optional(),
  addressLists: z
    .record(z.string(), z.unknown(), { error: 'must be a mapping from names to address lists' })
    .optional(),
});

/**
 * Reads and validates a key file. Throws nothing for an operator's mistake. `apis`: the names of the configured APIs; null: they are
 * not known, and any may be named.
 */
export const loadKeyFile = (file: string, env: Environment, apis: readonly string[] | null = null): LoadedKeyFile =>
  readKeys(readYamlFile({ file, env, schema: KEY_FILE_JSON_SCHEMA }), apis);

/** The same for text that is, or is to be, in this file. */
export const loadKeyText = (
  text: string,
  file: string,
  env: Environment,
  apis: readonly string[] | null = null,
): LoadedKeyFile => readKeys(readYamlText(text, { file, env, schema: KEY_FILE_JSON_SCHEMA }), apis);

function readKeys(yaml: YamlFile, apis: readonly string[] | null): LoadedKeyFile {
  const unusable = (problems: readonly Problem[]): LoadedKeyFile => ({
    definitions: null,
    wholes: [],
    records: NO_RECORDS,
    problems: inReadingOrder(problems),
    files: yaml.files,
    yaml,
  });
  if (yaml.content === null) return unusable(yaml.problems);
  const outer = OuterSchema.safeParse(yaml.content.value);
  if (!outer.success)
    return unusable([
      ...yaml.problems,
      ...problemsOf(findingsOf(outer.error.issues, yaml.content.value, KEY_FILE_JSON_SCHEMA), yaml),
    ]);

  const { keys, policies = {}, addressLists = {} } = outer.data;
  const problems: Problem[] = [...yaml.problems];
  const tell = (findings: readonly Finding[], ...base: PropertyKey[]): void =>
    void problems.push(...problemsOf(findings, yaml, base));
  const records: SharedRecords = {
    lists: readRecords(addressLists, readListDefinition, (name, found) => tell(found, 'addressLists', name)),
    policies: readRecords(policies, readPolicy, (name, found) => tell(found, 'policies', name)),
  };
  for (const policy of records.policies.values())
    if ('definition' in policy) {
      const unknown = unknownLists(policy.definition, records.lists);
      tell([...unknown, ...namesNoApi(policy.definition, apis)], 'policies', policy.id);
    }
  const valid: PlacedDefinition[] = [];
  for (const [index, written] of keys.entries()) {
    const read = readDefinition(written);
    if (!read.ok) tell(read.findings, 'keys', index);
    const definition = read.ok ? read.value : null;
    const whole = definition && wholeBeside(definition, records);
    if (whole?.ok === false) tell(whole.findings, 'keys', index);
    if (definition !== null) tell(namesNoApi(definition, apis), 'keys', index);
    if (definition !== null && whole?.ok === true) valid.push({ index, written, definition, whole: whole.value });
  }
  tell([...repeatedIds(keys), ...contradictions(valid)], 'keys');
  if (hasErrors(problems)) return unusable(problems);
  const definitions = valid.map(({ definition }) => definition);
  return { definitions, wholes: valid.map(({ whole }) => whole), records, problems, files: yaml.files, yaml };
}

const namesNoApi = (fields: Parameters<typeof unknownApis>[0], apis: readonly string[] | null): Finding[] =>
  apis === null ? [] : unknownApis(fields, apis);

/** By name; one with mistakes is told and kept, so that it is not told again as missing. */
function readRecords<T>(
  written: Readonly<Record<string, unknown>>,
  read: (written: unknown) => Read<T>,
  tell: (name: string, findings: readonly Finding[]) => void,
): Map<string, Loaded<T>> {
  const records = new Map<string, Loaded<T>>();
  for (const [id, value] of Object.entries(written)) {
    const named = recordName.safeParse(id);
    if (!named.success)
      tell(
        id,
        named.error.issues.map(({ message }) => ({ path: [], message, atKey: true })),
      );
    const one = read(value);
    if (!one.ok) tell(id, one.findings);
    records.set(id, one.ok ? { id, definition: one.value } : { id, invalid: '' });
  }
  return records;
}

/** What is wrong with a policy or a list itself is told where it stands, and not at each key. */
function wholeBeside(key: KeyDefinition, records: SharedRecords): Read<WholeDefinition> | null {
  const policy = key.policy === null ? undefined : records.policies.get(key.policy);
  if (policy !== undefined && (!('definition' in policy) || unknownLists(policy.definition, records.lists).length > 0))
    return null;
  return wholeDefinition(key, records);
}

interface PlacedDefinition {
  readonly index: number;
  readonly written: unknown;
  readonly definition: KeyDefinition;
  readonly whole: WholeDefinition;
}

/** Asked of what was written, so that a mistake elsewhere in a key does not hide that its id is taken. */
function repeatedIds(keys: readonly unknown[]): Finding[] {
  const ids = keys.map((key) => (isObject(key) && typeof key['id'] === 'string' ? key['id'] : null));
  const firstAt = new Map(ids.map((id, index) => [id, index] as const).toReversed());
  return ids.flatMap((id, index) =>
    id !== null && firstAt.get(id) !== index
      ? [{ path: [index, 'id'], message: `is used twice: give this key another id than ${JSON.stringify(id)}` }]
      : [],
  );
}

/** What only several keys together can get wrong. Each finding stands at the later one and names the earlier. */
function contradictions(definitions: readonly PlacedDefinition[]): Finding[] {
  const findings: Finding[] = [];
  const owners = new Map<string, string>();
  for (const { index, written, whole } of definitions) {
    const { id, type, secrets } = whole;
    const claim = (what: string, finding: (earlier: string) => Finding): void => {
      const earlier = owners.get(what);
      if (earlier === undefined) owners.set(what, id);
      else findings.push(finding(earlier));
    };
    if (type === 'metrics')
      claim('metrics', (earlier) => ({
        path: [index, 'type'],
        message: `cannot be metrics: there may be one metrics key, and ${earlier} is it`,
      }));
    const shorthand = isObject(written) && 'secret' in written;
    secrets.forEach(({ hash }, place) =>
      claim(hash, (earlier) => ({
        path: shorthand ? [index, 'secret'] : [index, 'secrets', place],
        message: `is also a secret of the key ${earlier}; give each key its own`,
      })),
    );
  }
  return findings;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
