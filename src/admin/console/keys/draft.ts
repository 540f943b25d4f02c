/**
 * A key definition as a form holds it, and the way back. What was typed stays as typed: the server alone judges it, so that
 * there is one set of rules. Also joins two people's changes of one key.
 */
import { CACHE_TTL_MINUTES } from '../../../keys/key.ts';
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
  readonly further: Further;
}

/** What the form does not show, and leaves as it is. */
type Further = Pick<KeyReplacement, (typeof FURTHER)[number]>;
const FURTHER = ['apis', 'allowedRoutes', 'denyFrom', 'accessToken'] as const;

interface Field {
  /** The parts of the form that change together. */
  readonly members: readonly (keyof Draft)[];
  /** What would be saved of them, as text to compare: what stands in a part that is switched off does not count. */
  readonly saved: (draft: Draft) => string;
}

/** A field that is one part of the form. */
const single = (member: keyof Draft): Field => ({ members: [member], saved: (draft) => JSON.stringify(draft[member]) });

/** By the field of the definition that they stand for: every one that a form can change. */
const FIELDS = {
  description: single('description'),
  enabled: single('enabled'),
  allowFrom: {
    members: ['anywhere', 'locations'],
    saved: ({ anywhere, locations }) =>
      anywhere ? 'anywhere' : JSON.stringify(locations.map(({ address, description }) => [address, description])),
  },
  allowedEvents: {
    members: ['allEvents', 'events'],
    saved: ({ allEvents, events }) => (allEvents ? 'all' : JSON.stringify(events)),
  },
  disallowedEvents: single('disallowedEvents'),
  allowedOrigins: {
    members: ['anyOrigin', 'origins'],
    saved: ({ anyOrigin, origins }) => (anyOrigin ? 'any' : JSON.stringify(origins)),
  },
  allowBrowsers: single('allowBrowsers'),
  rateLimit: {
    members: ['limited', 'requests', 'windowSeconds'],
    saved: ({ limited, requests, windowSeconds }) => (limited ? `${requests} in ${windowSeconds}` : 'none'),
  },
  mode: single('mode'),
  expiresAt: { members: ['expires', 'expiresAt'], saved: ({ expires, expiresAt }) => (expires ? expiresAt : 'never') },
  cacheTtlMinutes: single('cacheTtlMinutes'),
  apiKey: single('apiKey'),
} as const satisfies Readonly<Record<Exclude<keyof KeyReplacement, 'id' | 'type' | 'secrets' | keyof Further>, Field>>;

export type FieldName = keyof typeof FIELDS;

export const FIELD_NAMES = Object.keys(FIELDS) as readonly FieldName[];

/** What the defaults of a definition look like in a form. */
export const NEW_DRAFT: Draft = {
  description: '',
  enabled: true,
  anywhere: true,
  locations: [],
  allEvents: true,
  events: [],
  disallowedEvents: 'remove',
  anyOrigin: true,
  origins: [],
  allowBrowsers: false,
  limited: false,
  requests: '100',
  windowSeconds: '1',
  mode: 'enforce',
  expires: false,
  expiresAt: '',
  cacheTtlMinutes: String(CACHE_TTL_MINUTES.default),
  apiKey: '',
  further: {},
};

export function draftOf(definition: KeyDefinition): Draft {
  const { allowFrom, allowedEvents, disallowedEvents, allowedOrigins, rateLimit } = definition;
  const anyOrigin = allowedOrigins.includes('*');
  return {
    ...NEW_DRAFT,
    description: definition.description,
    enabled: definition.enabled,
    mode: definition.mode,
    anywhere: allowFrom === 'anywhere',
    locations: allowFrom === 'anywhere' ? [] : allowFrom,
    allEvents: allowedEvents === null || allowedEvents === 'all',
    events: Array.isArray(allowedEvents) ? allowedEvents : [],
    disallowedEvents: disallowedEvents ?? 'remove',
    anyOrigin,
    origins: anyOrigin ? [] : allowedOrigins,
    allowBrowsers: definition.allowBrowsers ?? false,
    ...(rateLimit !== null && {
      limited: true,
      requests: String(rateLimit.requests),
      windowSeconds: String(rateLimit.windowSeconds),
    }),
    expires: definition.expiresAt !== null,
    expiresAt: definition.expiresAt ?? '',
    cacheTtlMinutes: String(definition.cacheTtlMinutes ?? CACHE_TTL_MINUTES.default),
    further: Object.fromEntries(FURTHER.map((name) => [name, definition[name]])),
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
    ...draft.further,
    type,
    description: draft.description,
    enabled: draft.enabled,
    mode: draft.mode,
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
    allowedOrigins: draft.anyOrigin ? ['*'] : draft.origins.map((origin) => origin.trim()),
    ...(type !== 'write-only' && { allowBrowsers: draft.allowBrowsers }),
  };
}

/** What is no number goes as it is typed: the server says what is wrong with it. */
function numberIn(text: string): number {
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? (text as unknown as number) : number;
}

/** The fields in which two forms differ. */
export const differences = (one: Draft, other: Draft): FieldName[] =>
  FIELD_NAMES.filter((name) => FIELDS[name].saved(one) !== FIELDS[name].saved(other));

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
  const kept = Object.fromEntries(
    mine.flatMap((name) => FIELDS[name].members.map((member) => [member, typed[member]])),
  );
  return {
    draft: { ...now, ...kept },
    theirs,
    both: differences(typed, now).filter((name) => mine.includes(name) && theirs.includes(name)),
  };
}
