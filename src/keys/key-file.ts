/**
 * Reads a key file: into definitions, or into every finding that keeps it from being used. One mistake makes the whole file
 * unusable, because a file that is being written looks like one with mistakes. Watches nothing.
 */
import { z } from 'zod';
import { readYamlFile, readYamlText, type Environment, type YamlFile } from '../config/document.ts';
import { findingsOf, problemsOf, type Finding } from '../config/issue.ts';
import { jsonSchemaOf } from '../config/json-schema.ts';
import { hasErrors, inReadingOrder, type Problem } from '../config/problem.ts';
import { KeyDefinitionSchema, type KeyDefinition } from './definition.ts';
import { readDefinition } from './read-definition.ts';

export interface LoadedKeyFile {
  /** null when any problem is an error. */
  readonly definitions: readonly KeyDefinition[] | null;
  readonly problems: readonly Problem[];
  /** The key file and every file that `${file:}` read. */
  readonly files: readonly string[];
  /** For further findings at the lines of the file. */
  readonly yaml: YamlFile;
}

export const KeyFileSchema = z.strictObject({
  keys: z.array(KeyDefinitionSchema, { error: 'must be a list of keys' }).describe('Every key that may be used.'),
});

/** Made once: it is the same for every file. */
export const KEY_FILE_JSON_SCHEMA = jsonSchemaOf(KeyFileSchema);

/** Each key is read on its own, so that a mistake in one does not hide those in the others. */
const OuterSchema = z.strictObject({ keys: z.array(z.unknown(), { error: 'must be a list of keys' }) });

/** Reads and validates a key file. Throws nothing for an operator's mistake. */
export const loadKeyFile = (file: string, env: Environment): LoadedKeyFile =>
  readKeys(readYamlFile({ file, env, schema: KEY_FILE_JSON_SCHEMA }));

/** The same for text that is, or is to be, in this file. */
export const loadKeyText = (text: string, file: string, env: Environment): LoadedKeyFile =>
  readKeys(readYamlText(text, { file, env, schema: KEY_FILE_JSON_SCHEMA }));

function readKeys(yaml: YamlFile): LoadedKeyFile {
  const unusable = (problems: readonly Problem[]): LoadedKeyFile => ({
    definitions: null,
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

  const reads = outer.data.keys.map((written, index) => ({ index, written, ...readDefinition(written) }));
  const valid = reads.flatMap((read) => (read.ok ? [{ ...read, definition: read.value }] : []));
  const own = reads.flatMap((read) => (read.ok ? [] : problemsOf(read.findings, yaml, ['keys', read.index])));
  const between = problemsOf([...repeatedIds(outer.data.keys), ...contradictions(valid)], yaml, ['keys']);
  const problems = [...yaml.problems, ...own, ...between];
  if (hasErrors(problems)) return unusable(problems);
  return { definitions: valid.map(({ definition }) => definition), problems, files: yaml.files, yaml };
}

interface PlacedDefinition {
  readonly index: number;
  readonly written: unknown;
  readonly definition: KeyDefinition;
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
  for (const { index, written, definition } of definitions) {
    const { id, type, secrets } = definition;
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
