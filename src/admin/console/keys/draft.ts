/**
 * A key definition as a form holds it, and the way back. What was typed stays as typed: the server alone judges it, so that
 * there is one set of rules. Also joins two people's changes of one key.
 */
import type { KeyDefinition, KeyReplacement, KeyType, Mode } from '../api/types.ts';

export interface Location {
  readonly address: string;
  readonly description: string;
}

export interface Draft {
  readonly description: string;
  readonly enabled: boolean;
  readonly anywhere: boolean;
  readonly locations: readonly Location[];
  readonly allEvents: boolean;
  readonly events: readonly string[];
  readonly disallowedEvents: 'remove' | 'reject';
  readonly anyOrigin: boolean;
  readonly origins: readonly string[];
  readonly allowBrowsers: boolean;
  readonly limited: boolean;
  readonly requests: string;
  readonly windowSeconds: string;
  readonly mode: Mode;
  readonly expires: boolean;
  /** RFC 3339. */
  readonly expiresAt: string;
  readonly cacheTtlMinutes: string;
  /** A new one; empty: as it is. */
  readonly apiKey: string;
}

/** The parts of a form that change together, by the field of the definition that they stand for. */
export const FIELD_MEMBERS = {
  description: ['description'],
  enabled: ['enabled'],
  allowFrom: ['anywhere', 'locations'],
  allowedEvents: ['allEvents', 'events'],
  disallowedEvents: ['disallowedEvents'],
  allowedOrigins: ['anyOrigin', 'origins'],
  allowBrowsers: ['allowBrowsers'],
  rateLimit: ['limited', 'requests', 'windowSeconds'],
  mode: ['mode'],
  expiresAt: ['expires', 'expiresAt'],
  cacheTtlMinutes: ['cacheTtlMinutes'],
  apiKey: ['apiKey'],
} as const satisfies Record<string, readonly (keyof Draft)[]>;

export type FieldName = keyof typeof FIELD_MEMBERS;

export const FIELD_NAMES = Object.keys(FIELD_MEMBERS) as readonly FieldName[];

/** What the defaults of a definition look like in a form. */
export const NEW_DRAFT: Draft = {
  ...{ description: '', enabled: true, anywhere: true, locations: [] },
  ...{ allEvents: true, events: [], disallowedEvents: 'remove', anyOrigin: true, origins: [], allowBrowsers: false },
  ...{ limited: false, requests: '100', windowSeconds: '1', mode: 'enforce', expires: false, expiresAt: '' },
  ...{ cacheTtlMinutes: '5', apiKey: '' },
};

export function draftOf(definition: KeyDefinition): Draft {
  const { allowFrom, allowedEvents, disallowedEvents, allowedOrigins, rateLimit } = definition;
  const anyOrigin = allowedOrigins === null || allowedOrigins.includes('*');
  return {
    ...NEW_DRAFT,
    ...{ description: definition.description, enabled: definition.enabled, mode: definition.mode },
    ...{ anywhere: allowFrom === 'anywhere', locations: allowFrom === 'anywhere' ? [] : allowFrom },
    ...{ allEvents: allowedEvents === null || allowedEvents === 'all' },
    events: Array.isArray(allowedEvents) ? allowedEvents : [],
    disallowedEvents: disallowedEvents ?? 'remove',
    ...{ anyOrigin, origins: anyOrigin ? [] : (allowedOrigins ?? []) },
    allowBrowsers: definition.allowBrowsers ?? false,
    ...(rateLimit !== null && {
      ...{ limited: true, requests: String(rateLimit.requests), windowSeconds: String(rateLimit.windowSeconds) },
    }),
    ...{ expires: definition.expiresAt !== null, expiresAt: definition.expiresAt ?? '' },
    cacheTtlMinutes: String(definition.cacheTtlMinutes ?? 5),
  };
}

/** Rows that nothing was typed into are not part of what is saved. */
export const withoutBlankRows = (draft: Draft): Draft => ({
  ...draft,
  locations: draft.locations.filter(({ address, description }) => address.trim() !== '' || description.trim() !== ''),
  origins: draft.origins.filter((origin) => origin.trim() !== ''),
});

/** The definition that a form describes. Fields that its type does not have are left out. */
export function definitionOf(draft: Draft, type: KeyType): KeyReplacement {
  const locations = draft.locations.map(({ address, description }) => ({
    address: address.trim(),
    description: description.trim(),
  }));
  return {
    ...{ type, description: draft.description, enabled: draft.enabled, mode: draft.mode },
    allowFrom: draft.anywhere ? 'anywhere' : locations,
    rateLimit: draft.limited
      ? { requests: numberIn(draft.requests), windowSeconds: numberIn(draft.windowSeconds) }
      : null,
    expiresAt: draft.expires ? draft.expiresAt : null,
    ...(type === 'metrics'
      ? { cacheTtlMinutes: numberIn(draft.cacheTtlMinutes), ...(draft.apiKey !== '' && { apiKey: draft.apiKey }) }
      : {
          allowedEvents: draft.allEvents ? 'all' : [...draft.events],
          disallowedEvents: draft.disallowedEvents,
        }),
    ...(type === 'write-only'
      ? { allowedOrigins: draft.anyOrigin ? ['*'] : draft.origins.map((origin) => origin.trim()) }
      : { allowBrowsers: draft.allowBrowsers }),
  };
}

/** What is no number goes as it is typed: the server says what is wrong with it. */
function numberIn(text: string): number {
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? (text as unknown as number) : number;
}

/** The fields in which two forms differ. */
export const differences = (one: Draft, other: Draft): FieldName[] =>
  FIELD_NAMES.filter((name) => fieldOf(one, name) !== fieldOf(other, name));

export interface Rebased {
  /** What was typed here, on top of what was saved elsewhere. */
  readonly draft: Draft;
  /** Saved elsewhere since. */
  readonly theirs: readonly FieldName[];
  /** Changed here and elsewhere, and not alike: the form keeps what was typed here. */
  readonly both: readonly FieldName[];
}

/** Carries what was typed since `base` over to what is saved `now`. */
export function rebase(typed: Draft, base: Draft, now: Draft): Rebased {
  const mine = differences(base, typed);
  const theirs = differences(base, now);
  const kept = Object.fromEntries(mine.flatMap((name) => FIELD_MEMBERS[name].map((member) => [member, typed[member]])));
  return {
    draft: { ...now, ...kept },
    theirs,
    both: mine.filter((name) => theirs.includes(name) && fieldOf(typed, name) !== fieldOf(now, name)),
  };
}

/** By what would be saved: what stands in a part that is switched off does not count. */
function fieldOf(draft: Draft, name: FieldName): string {
  switch (name) {
    case 'allowFrom':
      return draft.anywhere
        ? 'anywhere'
        : JSON.stringify(draft.locations.map(({ address, description }) => [address, description]));
    case 'allowedEvents':
      return draft.allEvents ? 'all' : JSON.stringify(draft.events);
    case 'allowedOrigins':
      return draft.anyOrigin ? 'any' : JSON.stringify(draft.origins);
    case 'rateLimit':
      return draft.limited ? `${draft.requests} in ${draft.windowSeconds}` : 'none';
    case 'expiresAt':
      return draft.expires ? draft.expiresAt : 'never';
    case 'description':
    case 'enabled':
    case 'disallowedEvents':
    case 'allowBrowsers':
    case 'mode':
    case 'cacheTtlMinutes':
    case 'apiKey':
      return String(draft[name]);
  }
}
