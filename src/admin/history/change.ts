/**
 * What the history says of one change: who made it, to what, and each field before and after. Secrets stand as their ids. What is too
 * long to be kept a thousand times is left out, and said to be.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { defaultsOf, type KeyDefinition, type Loaded } from '../../keys/definition.ts';
import { sha256Hex } from '../../lib/digest.ts';
import { secretIdOf } from '../definition-view.ts';

export const SUBJECTS = ['key', 'policy', 'list'] as const;
export type Subject = (typeof SUBJECTS)[number];

/** What a change is about. */
export interface Target {
  readonly kind: Subject;
  /** Of a key its id, of a policy or a list its name. */
  readonly name: string;
}

export const HistoryChange = z.strictObject({
  time: z.iso.datetime(),
  who: z
    .string()
    .describe('The `id` of the token; `file` or `redis`: it was not made here, but seen where the keys come from.'),
  address: z.string().nullable().describe('From where it was made; null: it was not made here.'),
  action: z.string().describe('As in the log: `create_key`, `replace_policy`, `rotate_secret` and so on.'),
  kind: z.enum(SUBJECTS),
  target: z.string().describe('The id of the key, or the name of the policy or the list.'),
  fields: z
    .record(
      z.string(),
      z.strictObject({
        before: z.unknown().describe('null: not said.'),
        after: z.unknown().describe('null: not said.'),
        tooLong: z.literal(true).optional().describe('It changed, and is too long to be kept.'),
      }),
    )
    .describe('The fields that changed. Secrets are `{id, expiresAt}`.'),
});

export const ChangeList = z.strictObject({
  changes: z.array(HistoryChange).describe('Newest first.'),
  why: z
    .string()
    .nullable()
    .describe('Why changes of other replicas, or from before the start, may be missing; null: none is.'),
});
export type HistoryChange = z.output<typeof HistoryChange>;

/** What is stored under a name, as it may be shown; null: nothing. */
export type State = Readonly<Record<string, unknown>> | null;

/** A key: its own fields, and those that it has by default where no policy could say otherwise. */
export function stateOfKey({ id: _id, secrets, apiKey, ...fields }: KeyDefinition): State {
  return {
    ...fields,
    secrets: secrets.map(({ hash, expiresAt }) => ({ id: secretIdOf(hash), expiresAt })),
    apiKey: apiKey === null ? null : { id: secretIdOf(apiKey) },
  };
}

export const stateOfRecord = (definition: object): State => ({ ...definition });

/** What cannot be read is shown as why. */
export const stateOf = <T>(loaded: Loaded<T>, of: (definition: T) => State): State =>
  'definition' in loaded ? of(loaded.definition) : { invalid: loaded.invalid };

/** A state as text: the same for equal states, in whatever order their fields came. */
export const textOfState = (state: State): string =>
  JSON.stringify(state, (_name, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

/** Of such a text: tells one state from every other, in every process. */
export const digestOfText = (text: string): string => sha256Hex(text).slice(0, 32);

/** In characters of JSON, of all fields of one change. */
const MOST_CHARACTERS = 16_384;

/** What differs. Of what is new or gone, the defaults of a key are not worth a line. */
export function changedFields(before: State, after: State): HistoryChange['fields'] {
  const whole = before === null || after === null ? presetsOf(before ?? after) : {};
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].filter(
    (name) => !isDeepStrictEqual(fieldOf(before, name), fieldOf(after, name)),
  );
  let left = MOST_CHARACTERS;
  return Object.fromEntries(
    names
      .filter((name) => !Object.hasOwn(whole, name) || !isDeepStrictEqual(fieldOf(before ?? after, name), whole[name]))
      .map((name) => {
        const field = { before: fieldOf(before, name) ?? null, after: fieldOf(after, name) ?? null };
        const length = JSON.stringify(field).length;
        if (length > left) return [name, { before: null, after: null, tooLong: true as const }];
        left -= length;
        return [name, field];
      }),
  );
}

/** Never what every object inherits: a field may be called `valueOf`. */
const fieldOf = (state: State, name: string): unknown =>
  state !== null && Object.hasOwn(state, name) ? state[name] : undefined;

function presetsOf(state: State): Readonly<Record<string, unknown>> {
  const type = state?.['type'] as KeyDefinition['type'];
  if (state === null) return {};
  if (state['policy'] !== null || type === undefined) return { apiKey: null };
  const { type: _type, ...presets } = defaultsOf(type);
  return { policy: null, apiKey: null, ...presets };
}

/** What became of it, in the words of the log. */
export function actionOf(kind: Subject, before: State, after: State): string {
  if (after === null) return `delete_${kind}`;
  return before === null ? `create_${kind}` : `replace_${kind}`;
}
