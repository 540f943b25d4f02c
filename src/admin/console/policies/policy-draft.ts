/** A policy as a form holds it, which fields it says among them, and the way back; and what a change means for each key. */
import { DEFAULTS } from '../../../keys/definition.ts';
import type { KeyDefinition, KeyType, Policy, PolicyReplacement } from '../api/types.ts';
import { draftOf, NEW_DRAFT, typesOf } from '../keys/draft.ts';
import { FIELDS, type Draft, type FieldName } from '../keys/fields.ts';
import { TYPE_NAMES } from '../ui/type-names.ts';

/** What a policy can say of keys beside their type. */
export const POLICY_FIELDS = (Object.keys(FIELDS) as FieldName[]).filter(
  (name) => name !== 'policy' && name !== 'apiKey',
) as readonly PolicyField[];

export type PolicyField = Exclude<FieldName, 'policy' | 'apiKey'>;

export interface PolicyDraft {
  readonly name: string;
  /** null: each key says its own. */
  readonly type: KeyType | null;
  readonly said: readonly PolicyField[];
  /** What fields would be that are not said stands there as well, and does not count. */
  readonly draft: Draft;
}

/** What a new policy begins with. */
export const NEW_POLICY: Policy = { name: '', usedBy: { keys: [], policies: [], configuration: [], total: 0 } };

export function policyDraftOf(policy: Policy): PolicyDraft {
  const said = POLICY_FIELDS.filter((name) => policy[name] !== undefined);
  return { name: policy.name, type: policy.type ?? null, said, draft: draftOf(keyLike(policy)) };
}

/** A key that says what the policy says. */
export const keyLike = ({ usedBy: _usedBy, ...fields }: Policy): KeyDefinition =>
  ({ ...PLAIN, ...fields }) as unknown as KeyDefinition;

const PLAIN = {
  ...DEFAULTS,
  id: '',
  type: 'read-write',
  inherited: [],
  secrets: [],
  apiKey: null,
  policy: null,
  cacheTtlMinutes: null,
} as const;

/** The fields that a form offers: those of the type, and what it says anyhow. */
export const offeredFields = ({ type, said }: Pick<PolicyDraft, 'type' | 'said'>): readonly PolicyField[] =>
  POLICY_FIELDS.filter((name) => type === null || isOf(name, type) || said.includes(name));

/** Whether keys of the type have the field. */
const isOf = (name: PolicyField, type: KeyType): boolean => typesOf(name)?.includes(type) !== false;

/** The policy that a form describes. */
export function policyOf({ type, said, draft }: PolicyDraft): PolicyReplacement {
  const fields = POLICY_FIELDS.filter((name) => said.includes(name)).map((name) => [name, FIELDS[name].write(draft)]);
  return { ...(type !== null && { type }), ...(Object.fromEntries(fields) as PolicyReplacement) };
}

export interface KeyEffect {
  readonly id: string;
  readonly changes: readonly { readonly title: string; readonly before: string; readonly after: string }[];
}

/** What holds otherwise for each key when a policy says `after` where it said `before`. Fields that a key says itself stay. */
export function effectsOf(before: Policy, after: PolicyReplacement, keys: readonly KeyDefinition[]): KeyEffect[] {
  const isChanged = (name: PolicyField): boolean => JSON.stringify(before[name]) !== JSON.stringify(after[name]);
  const changed = POLICY_FIELDS.filter(isChanged);
  return keys
    .filter(({ policy }) => policy === before.name)
    .map((key) => {
      const type = key.inherited.includes('type') ? (after.type ?? null) : key.type;
      const next = { ...key, ...withDefaults(changed, after) };
      const fields = changed
        .filter((name) => key.inherited.includes(name) && isOf(name, type ?? key.type))
        .map((name) => ({
          title: FIELDS[name].title,
          before: FIELDS[name].words(key),
          after: FIELDS[name].words(next),
        }));
      const types =
        type === key.type
          ? []
          : [
              {
                title: 'Type',
                before: TYPE_NAMES[key.type],
                after: type === null ? 'None: it needs one' : TYPE_NAMES[type],
              },
            ];
      return { id: key.id, changes: [...types, ...fields.filter((one) => one.before !== one.after)] };
    })
    .filter(({ changes }) => changes.length > 0);
}

function withDefaults(names: readonly PolicyField[], after: PolicyReplacement): object {
  return Object.fromEntries(names.map((name) => [name, after[name] ?? PLAIN[name] ?? FIELDS[name].write(NEW_DRAFT)]));
}
