/**
 * What was suggested as lines with a box each, and the part of a form that the chosen ones make. Saves nothing.
 */
import type { KeyDefinition, KeyType, Suggestion } from '../api/types.ts';
import { typesOf } from '../keys/draft.ts';
import { FIELDS, type Draft, type FieldName } from '../keys/fields.ts';

/** The fields of a form that can be suggested, in the order in which they are shown. */
export const SUGGESTED = [
  'allowFrom',
  'allowedRoutes',
  'allowedEvents',
  'allowedOrigins',
  'allowBrowsers',
  'rateLimit',
] as const satisfies readonly FieldName[];

export type SuggestedName = (typeof SUGGESTED)[number];

export interface Line {
  /** Of the box. */
  readonly id: string;
  readonly value: string;
  /** Good ones. */
  readonly requests: number;
  readonly lastSeen: string;
}

/** The lines of a field; null: it is not suggested, or keys of this type do not have it. */
export function linesOf(name: SuggestedName, { fields, because }: Suggestion, type: KeyType): readonly Line[] | null {
  const value = fields[name];
  if (value === undefined || value === null || typesOf(name)?.includes(type) === false) return null;
  const seen = because[name] ?? [];
  if (Array.isArray(value) && value.length > 0) return seen.map((one) => ({ id: `${name} ${one.value}`, ...one }));
  const [first] = seen;
  const told = { requests: first?.requests ?? 0, lastSeen: first?.lastSeen ?? '' };
  return [{ id: name, value: FIELDS[name].words(definitionWith(name, value)), ...told }];
}

/** Every box of a suggestion. */
export const allLines = (suggestion: Suggestion, type: KeyType): string[] =>
  SUGGESTED.flatMap((name) => linesOf(name, suggestion, type) ?? []).map(({ id }) => id);

/** The parts of a form that the chosen lines make. A field of which none is chosen stays as it is. */
export function takenOver(
  suggestion: Suggestion,
  definition: KeyDefinition,
  chosen: ReadonlySet<string>,
): Partial<Draft> {
  const parts = SUGGESTED.map((name) => {
    const lines = linesOf(name, suggestion, definition.type)?.filter(({ id }) => chosen.has(id)) ?? [];
    if (lines.length === 0) return {};
    const value = suggestion.fields[name];
    const taken = Array.isArray(value) && value.length > 0 ? lines.map((line) => line.value) : value;
    return FIELDS[name].read(definitionWith(name, name === 'allowFrom' ? places(taken, definition) : taken));
  });
  return Object.assign({}, ...parts) as Partial<Draft>;
}

/** As much of a definition as a field reads. */
const definitionWith = (name: SuggestedName, value: unknown): KeyDefinition =>
  ({ [name]: name === 'allowFrom' ? withDescriptions(value) : value }) as unknown as KeyDefinition;

const withDescriptions = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map((place: unknown) => (typeof place === 'string' ? { address: place, description: '' } : place))
    : value;

/** An address that is there already keeps its description. */
function places(taken: unknown, { allowFrom }: KeyDefinition): unknown {
  const known = new Map(
    (allowFrom === 'anywhere' ? [] : allowFrom).map((place) =>
      'address' in place ? [place.address, place.description] : ['', ''],
    ),
  );
  return Array.isArray(taken)
    ? taken.map((address: string) => ({ address, description: known.get(address) ?? '' }))
    : taken;
}
