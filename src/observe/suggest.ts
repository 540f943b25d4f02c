/**
 * The narrowest key that would have refused nothing good that was observed: for each field what fits, why, and where nothing can be
 * said, why not. It changes nothing.
 */
import { completed, keyCompiler } from '../keys/compile.ts';
import { FIELD_TYPES, type WholeDefinition } from '../keys/definition.ts';
import type { Key, KeyType, RateLimit } from '../keys/key.ts';
import { readDefinition, writtenDefinition, type ReadDefinition } from '../keys/read-definition.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import type { DayCounts } from './day-counts.ts';
import {
  narrowestType,
  proposeAddresses,
  proposeEvents,
  proposeOrigins,
  proposeRate,
  goodSpan,
  proposeRoutes,
  type Because,
  type Proposal,
  type WhyNot,
} from './proposals.ts';
import { timeOf } from './view.ts';

/** What can be suggested, as in a key definition. */
export interface SuggestedFields {
  type?: KeyType;
  allowedRoutes?: readonly string[];
  allowFrom?: readonly string[];
  allowedEvents?: readonly string[];
  allowedOrigins?: readonly string[];
  /** true where pages use a key of a type that they may not use by itself; null where the new type has no such field. */
  allowBrowsers?: boolean | null;
  rateLimit?: RateLimit;
}

type FieldName = keyof SuggestedFields;

export interface Suggestion {
  readonly fields: SuggestedFields;
  readonly because: Readonly<Partial<Record<FieldName, readonly Because[]>>>;
  readonly notSuggested: Readonly<Partial<Record<FieldName, WhyNot>>>;
  /** Why it rests on too little to be relied on; null: it does not. */
  readonly tooLittle: string | null;
}

export interface SuggestWorld {
  /** The key as it is, with all that its policy says. */
  readonly definition: WholeDefinition;
  readonly rules: Pick<Ruleset, 'apis' | 'keys'>;
}

export function suggest(counts: DayCounts, world: SuggestWorld): Suggestion {
  const drafts = new Drafts(world);
  const judged = { rules: world.rules, keyWith: (fields: object) => drafts.keyWith(fields) };
  const now = world.definition.type;
  // A metrics key stays one: nothing else is like it.
  const type = now === 'metrics' ? null : narrowestType(counts, judged);
  const named = type !== null && 'value' in type ? type.value : now;
  const origins = proposeOrigins(counts);
  if (type !== null) drafts.take('type', type);
  drafts.take('allowedRoutes', proposeRoutes(counts));
  drafts.take('allowFrom', proposeAddresses(counts));
  drafts.take('allowedEvents', proposeEvents(counts, named, judged));
  drafts.takeOrigins(origins, named);
  drafts.take('rateLimit', proposeRate(counts));
  return { ...drafts.finish(), tooLittle: whyTooLittle(counts) };
}

const ENOUGH_REQUESTS = 100;
const ENOUGH_MS = 86_400_000;

function whyTooLittle(counts: DayCounts): string | null {
  const { good } = counts;
  const { firstSeen, lastSeen } = goodSpan(counts);
  if (good < ENOUGH_REQUESTS) return `Only ${good} good requests were observed, fewer than ${ENOUGH_REQUESTS}.`;
  if (lastSeen - firstSeen >= ENOUGH_MS) return null;
  return `Less than a day was observed: from ${timeOf(firstSeen)} to ${timeOf(lastSeen)}.`;
}

/** What is suggested so far, and whether it can be written. */
class Drafts {
  readonly #world: SuggestWorld;
  readonly #fields: Record<string, unknown> = {};
  readonly #because: Record<string, readonly Because[]> = {};
  readonly #notSuggested: Record<string, WhyNot> = {};

  constructor(world: SuggestWorld) {
    this.#world = world;
  }

  take(field: FieldName, proposal: Proposal<unknown>): void {
    if (!('value' in proposal)) this.#notSuggested[field] = proposal.whyNot;
    else if (this.#isFor(field)) {
      this.#fields[field] = proposal.value;
      this.#because[field] = proposal.because;
    }
  }

  /** Pages may use a write-only key of themselves; another one only if it says so. */
  takeOrigins(proposal: Proposal<readonly string[]>, type: KeyType): void {
    const { definition } = this.#world;
    const seen = 'value' in proposal ? proposal.because.length > 0 : true;
    if (type === 'write-only' || definition.allowBrowsers === true || seen) this.take('allowedOrigins', proposal);
    if (type !== 'write-only' && definition.allowBrowsers !== true && 'value' in proposal && seen)
      this.take('allowBrowsers', { value: true, because: proposal.because });
    // Without a list of origins the new type would open the key to the pages of all.
    if (type === 'write-only' && definition.type !== 'write-only' && !('value' in proposal))
      this.#drop('type', 'origins_unknown');
  }

  finish(): Pick<Suggestion, 'fields' | 'because' | 'notSuggested'> {
    for (let read = this.#readWith(this.#fields); !read.ok; read = this.#readWith(this.#fields)) {
      const fields = new Set(read.findings.map(({ path }) => String(path[0])));
      const wrong = Object.keys(this.#fields).filter((field) => fields.has(field));
      for (const field of wrong) this.#drop(field, 'not_expressible');
      if (wrong.length === 0) break;
    }
    this.#clear();
    return {
      fields: this.#fields,
      because: this.#because,
      notSuggested: this.#notSuggested,
    };
  }

  /** What the definition says and the new type has no place for, so that the fields can be put over it as they are. */
  #clear(): void {
    const before = new Map<string, unknown>(Object.entries(this.#world.definition));
    for (const field of Object.keys(FIELD_TYPES))
      if (!this.#isFor(field) && (before.get(field) ?? null) !== null) this.#fields[field] = null;
  }

  /** The key as it is but for these fields; null: they cannot be written. */
  keyWith(fields: object): Key | null {
    const read = this.#readWith(fields);
    if (!read.ok) return null;
    const { definition, rules } = this.#world;
    const whole = completed({ id: definition.id, definition: read.value }, rules.keys.records);
    return 'invalid' in whole ? null : keyCompiler()(whole.definition);
  }

  #readWith(fields: object): ReadDefinition {
    const written: Record<string, unknown> = {
      // What its policy says, it says here itself.
      ...writtenDefinition({ ...this.#world.definition, policy: null }),
      ...fields,
    };
    for (const [field, types] of Object.entries(FIELD_TYPES))
      if (!types.includes(written['type'] as KeyType)) delete written[field];
    return readDefinition(written);
  }

  #isFor(field: string): boolean {
    const type = (this.#fields['type'] as KeyType | undefined) ?? this.#world.definition.type;
    const types = new Map<string, readonly KeyType[]>(Object.entries(FIELD_TYPES)).get(field);
    return types === undefined || types.includes(type);
  }

  #drop(field: string, whyNot: WhyNot): void {
    delete this.#fields[field];
    delete this.#because[field];
    this.#notSuggested[field] = whyNot;
  }
}
