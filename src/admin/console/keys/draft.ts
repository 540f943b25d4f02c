/**
 * A key's definition as a form holds it, and the way back. Also joins two people's changes of one key. Knows no field by name but
 * those whose rows can be blank.
 */
import type { Finding, KeyDefinition, KeyReplacement, KeyType } from '../api/types.ts';
import type { Choices } from './choices.ts';
import type { Rebased } from '../state/subject.ts';
import { joined, type Group } from '../state/join.ts';
import { findingsAfter } from '../state/row-findings.ts';
import { FIELDS, type Draft, type FieldName } from './fields.ts';

export const FIELD_NAMES = Object.keys(FIELDS) as readonly FieldName[];

/** What every part of the form of a key is given. */
export interface FormPartProps {
  readonly type: KeyType;
  readonly draft: Draft;
  readonly change: (part: Partial<Draft>) => void;
  readonly findings: readonly Finding[];
  readonly readOnly: boolean;
  readonly choices: Choices;
  /** Fields that the key has from its policy; left out: none. */
  readonly inherited?: readonly string[];
}

/** What the defaults of a definition look like in a form. */
export const NEW_DRAFT: Draft = draftFrom((name) => FIELDS[name].empty);

export function draftOf(definition: KeyDefinition): Draft {
  return draftFrom((name) => FIELDS[name].read(definition));
}

function draftFrom(partsOf: (name: FieldName) => object): Draft {
  return Object.fromEntries(FIELD_NAMES.flatMap((name) => Object.entries(partsOf(name)))) as unknown as Draft;
}

/** Rows that nothing was typed into are not part of what is saved. */
export const withoutBlankRows = (draft: Draft): Draft => ({
  ...draft,
  locations: draft.locations.filter(({ address, description }) => address.trim() !== '' || description.trim() !== ''),
  denied: draft.denied.filter(({ address, description }) => address.trim() !== '' || description.trim() !== ''),
  origins: draft.origins.filter((origin) => origin.trim() !== ''),
});

/** The definition that a form describes. Fields that its type does not have are left out. */
export function definitionOf(draft: Draft, type: KeyType): KeyReplacement {
  const saved = FIELD_NAMES.filter((name) => typesOf(name)?.includes(type) !== false)
    .map((name) => [name, FIELDS[name].write(draft)] as const)
    .filter(([, value]) => value !== undefined);
  return { type, ...Object.fromEntries(saved) };
}

/** The same of a new key. One with a policy says only what is not at its default, so that the policy holds for the rest. */
export function newDefinitionOf(draft: Draft, type: KeyType): KeyReplacement {
  const whole = definitionOf(draft, type);
  if (draft.policy === null) return whole;
  const said = new Set<string>(['type', ...differences(NEW_DRAFT, draft)]);
  return Object.fromEntries(Object.entries(whole).filter(([name]) => said.has(name)));
}

/** The types of keys that have a field; undefined: all. */
export function typesOf(name: FieldName): readonly KeyType[] | undefined {
  const { types }: { readonly types?: readonly KeyType[] } = FIELDS[name];
  return types;
}

/** The fields in which two forms differ. */
export const differences = (one: Draft, other: Draft): FieldName[] =>
  FIELD_NAMES.filter((name) => JSON.stringify(FIELDS[name].write(one)) !== JSON.stringify(FIELDS[name].write(other)));

/** The members of a form that stand for one field. */
export const membersOf = (name: FieldName): (keyof Draft)[] => Object.keys(FIELDS[name].empty) as (keyof Draft)[];

const GROUPS: readonly Group<Draft>[] = FIELD_NAMES.map(membersOf);

/** Carries what was typed since `base` over to what is saved `now`; rows of lists are joined one by one. */
export function rebase(
  typed: Draft,
  base: Draft,
  now: Draft,
): Rebased<Draft> & { readonly both: readonly FieldName[] } {
  const mine = differences(base, typed);
  const theirs = differences(base, now);
  return {
    draft: joined(GROUPS, { typed, base, now }),
    theirs,
    both: differences(typed, now).filter((name) => mine.includes(name) && theirs.includes(name)),
  };
}

/** The members whose rows the server finds fault with by their place, and what it calls them. */
const ROWS = {
  locations: 'allowFrom',
  denied: 'denyFrom',
  origins: 'allowedOrigins',
  events: 'allowedEvents',
} as const satisfies Partial<Record<keyof Draft, FieldName>>;

/** What stays true of the findings of the last attempt to save. */
export function draftFindingsAfter(findings: readonly Finding[], before: Draft, after: Draft): readonly Finding[] {
  return FIELD_NAMES.reduce(
    (left, name) =>
      membersOf(name).reduce((still, member) => {
        const field = member in ROWS ? ROWS[member as keyof typeof ROWS] : name;
        return findingsAfter(still, field, { before: before[member], after: after[member] });
      }, left),
    findings,
  );
}

/** A form as it was saved, with what was typed into parts that are switched off. */
export const withHiddenParts = (saved: Draft, typed: Draft): Draft => ({
  ...saved,
  ...(saved.anywhere && { locations: typed.locations }),
  ...(saved.allEvents && { events: typed.events }),
  ...(saved.anyOrigin && { origins: typed.origins }),
});
