/**
 * Reads a key file: into keys, policies and address lists, or into every finding that keeps it from being used. One mistake makes the
 * whole file unusable, because a file that is being written looks like one with mistakes. Watches nothing.
 */
import { z } from 'zod';
import { recordName } from '../config/address-entries.ts';
import type { Environment, ReadOptions } from '../config/document.ts';
import { findingsOf, problemsOf, type Finding } from '../config/issue.ts';
import { jsonSchemaLater } from '../config/json-schema.ts';
import { readListedFile, readListedText } from '../config/listed-file.ts';
import { hasErrors, inReadingOrder, type Problem } from '../config/problem.ts';
import type { ListedFile } from '../config/whole-list.ts';
import { createClaims, createIdClaims } from './claims.ts';
import { KeyDefinitionSchema, PolicySchema } from './definition-schema.ts';
import { NO_RECORDS, type KeyDefinition, type Loaded, type SharedRecords, type WholeDefinition } from './definition.ts';
import { AddressListSchema, readListDefinition } from './list-definition.ts';
import { createDefinitionReader, readPolicy, type Read } from './read-definition.ts';
import { unknownApis, unknownLists, wholeDefinition } from './whole-definition.ts';

export interface LoadedKeyFile extends KeyFileResult {
  /** null when any problem is an error. */
  readonly definitions: readonly KeyDefinition[] | null;
  /** Each definition with all that holds for the key, in the same order. */
  readonly wholes: readonly WholeDefinition[];
}

/** What was found, but for the definitions. */
export interface KeyFileResult {
  /** Whether no problem is an error. */
  readonly valid: boolean;
  /** Empty when any problem is an error. */
  readonly records: SharedRecords;
  readonly problems: readonly Problem[];
  /** The key file and every file that `${file:}` read. */
  readonly files: readonly string[];
  /** For further findings at the lines of the file. */
  readonly yaml: ListedFile;
}

/** Gets what is read, part by part. What it got counts for nothing when the result is not valid. */
export interface KeyFileSink {
  /** What it got so far counts for nothing: all comes anew, after these records. */
  readonly begin: (records: SharedRecords) => void;
  readonly key: (definition: KeyDefinition, whole: WholeDefinition) => void;
}

export interface KeyFileOptions {
  /** As it is to be named in messages. */
  readonly file: string;
  readonly env: Environment;
  /** The names of the configured APIs; null: they are not known, and any may be named. */
  readonly apis?: readonly string[] | null;
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

/** The same for every file. */
export const keyFileSchema = jsonSchemaLater(KeyFileSchema);

/** Each part is read on its own, so that a mistake in one does not hide those in the others. */
const OuterSchema = z.strictObject({
  keys: z.array(z.unknown(), { error: 'must be a list of keys' }),
  policies: z.record(z.string(), z.unknown(), { error: 'must be a mapping from names to policies' }).optional(),
  addressLists: z
    .record(z.string(), z.unknown(), { error: 'must be a mapping from names to address lists' })
    .optional(),
});

/** Reads and validates a key file. Throws nothing for an operator's mistake. */
export const loadKeyFile = (file: string, env: Environment, apis: readonly string[] | null = null): LoadedKeyFile =>
  collected((sink) => streamKeyFile({ file, env, apis }, sink));

/** The same for text that is, or is to be, in this file. */
export const loadKeyText = (
  text: string,
  file: string,
  env: Environment,
  apis: readonly string[] | null = null,
): LoadedKeyFile => collected((sink) => streamKeyText(text, { file, env, apis }, sink));

/** The same without holding all keys at once. */
export const streamKeyFile = ({ file, env, apis = null }: KeyFileOptions, sink: KeyFileSink): KeyFileResult =>
  readKeys(readListedFile(readOptions(file, env), 'keys'), apis, sink);

/** The same for text that is, or is to be, in this file. */
export const streamKeyText = (
  text: string,
  { file, env, apis = null }: KeyFileOptions,
  sink: KeyFileSink,
): KeyFileResult => readKeys(readListedText(text, readOptions(file, env), 'keys'), apis, sink);

const readOptions = (file: string, env: Environment): ReadOptions => ({
  file,
  env,
  get schema() {
    return keyFileSchema();
  },
});

function collected(read: (sink: KeyFileSink) => KeyFileResult): LoadedKeyFile {
  let definitions: KeyDefinition[] = [];
  let wholes: WholeDefinition[] = [];
  const result = read({
    begin: () => ([definitions, wholes] = [[], []]),
    key(definition, whole) {
      definitions.push(definition);
      wholes.push(whole);
    },
  });
  return { ...result, definitions: result.valid ? definitions : null, wholes: result.valid ? wholes : [] };
}

function readKeys(yaml: ListedFile, apis: readonly string[] | null, sink: KeyFileSink): KeyFileResult {
  const { content } = yaml;
  const unusable = (problems: readonly Problem[]): KeyFileResult => ({
    valid: false,
    records: NO_RECORDS,
    problems: inReadingOrder(problems),
    files: yaml.files,
    yaml,
  });
  if (content === null) return unusable(yaml.problems);
  const outer = OuterSchema.safeParse(content.value);
  if (!outer.success)
    return unusable([
      ...yaml.problems,
      ...problemsOf(findingsOf(outer.error.issues, content.value, keyFileSchema()), yaml),
    ]);

  const { policies = {}, addressLists = {} } = outer.data;
  const told: Told[] = [];
  const tell: Tell = (findings, ...base) => {
    for (const finding of findings) told.push({ finding, base });
  };
  const records = readShared({ policies, addressLists }, apis, tell);
  sink.begin(records);
  const ids = createIdClaims();
  const claims = createClaims();
  const readDefinition = createDefinitionReader();
  const complete = yaml.eachItem((written, index) => {
    const read = readDefinition(written);
    if (!read.ok) tell(read.findings, 'keys', index);
    tell(ids(written), 'keys', index);
    if (!read.ok) return;
    const definition = read.value;
    const whole = wholeBeside(definition, records);
    if (whole?.ok === false) tell(whole.findings, 'keys', index);
    tell(namesNoApi(definition, apis), 'keys', index);
    if (whole?.ok !== true) return;
    tell(claims(whole.value, written), 'keys', index);
    if (told.length === 0) sink.key(definition, whole.value);
  });
  if (!complete) return readKeys(yaml.whole(), apis, sink);
  const problems = [...yaml.problems, ...told.flatMap(({ finding, base }) => problemsOf([finding], yaml, base))];
  if (hasErrors(problems)) return unusable(problems);
  return { valid: true, records, problems, files: yaml.files, yaml };
}

/** A finding is placed when all was read: what could not be resolved is known then. */
interface Told {
  readonly finding: Finding;
  readonly base: readonly PropertyKey[];
}

type Tell = (findings: readonly Finding[], ...base: PropertyKey[]) => void;

interface WrittenRecords {
  readonly policies: Readonly<Record<string, unknown>>;
  readonly addressLists: Readonly<Record<string, unknown>>;
}

function readShared(
  { policies, addressLists }: WrittenRecords,
  apis: readonly string[] | null,
  tell: Tell,
): SharedRecords {
  const records: SharedRecords = {
    lists: readRecords(addressLists, readListDefinition, (name, found) => tell(found, 'addressLists', name)),
    policies: readRecords(policies, readPolicy, (name, found) => tell(found, 'policies', name)),
  };
  for (const policy of records.policies.values())
    if ('definition' in policy) {
      const unknown = unknownLists(policy.definition, records.lists);
      tell([...unknown, ...namesNoApi(policy.definition, apis)], 'policies', policy.id);
    }
  return records;
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
