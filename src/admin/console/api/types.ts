/** What the admin API takes and sends, as the schemas that validate it there say. Types alone: nothing of them is bundled. */
import type { z } from 'zod';
import type * as changes from '../../history/change.ts';
import type * as keySchemas from '../../key-schemas.ts';
import type * as recordSchemas from '../../record-schemas.ts';
import type * as observationSchemas from '../../observation-schemas.ts';
import type * as schemas from '../../schemas.ts';
import type * as rejectionSchemas from '../../rejection-schemas.ts';

export type KeyDefinition = z.output<typeof keySchemas.KeyDefinition>;
export type KeyList = z.output<typeof keySchemas.KeyList>;
export type NewKey = z.input<typeof keySchemas.NewKey>;
export type KeyReplacement = z.input<typeof keySchemas.KeyReplacement>;
export type CreatedKey = z.output<typeof keySchemas.CreatedKey>;
export type CreatedSecret = z.output<typeof keySchemas.CreatedSecret>;
export type Policy = z.output<typeof recordSchemas.Policy>;
export type PolicyList = z.output<typeof recordSchemas.PolicyList>;
export type PolicyReplacement = z.input<typeof recordSchemas.PolicyReplacement>;
export type AddressList = z.output<typeof recordSchemas.AddressList>;
export type AddressLists = z.output<typeof recordSchemas.AddressLists>;
export type AddressListReplacement = z.input<typeof recordSchemas.AddressListReplacement>;
export type ApiList = z.output<typeof recordSchemas.ApiList>;
export type ListedApi = ApiList['apis'][number];
export type UsedBy = Policy['usedBy'];
export type Rejection = z.output<typeof rejectionSchemas.Rejection>;
export type RejectionList = z.output<typeof rejectionSchemas.RejectionList>;
export type Summary = z.output<typeof rejectionSchemas.Summary>;
export type Question = z.input<typeof schemas.Question>;
export type Explanation = z.output<typeof schemas.Explanation>;
export type ChangeList = z.output<typeof changes.ChangeList>;
export type HistoryChange = ChangeList['changes'][number];
export type Session = z.output<typeof schemas.Session>;
export type Status = z.output<typeof schemas.Status>;
export type Configuration = z.output<typeof schemas.Configuration>;
export type Observed = z.output<typeof observationSchemas.Observed>;
export type ObservedApi = z.output<typeof observationSchemas.ObservedApi>;
export type Suggestion = z.output<typeof observationSchemas.Suggestion>;
export type WhatIf = z.output<typeof observationSchemas.WhatIf>;

export type MinuteCounts = Summary['minutes'][number];
/** What is needed of a summary to add up refusals. */
export interface RefusalCounts {
  readonly minutes: readonly Pick<MinuteCounts, 'time' | Mode>[];
}
export type TopLists = Summary['top']['enforce'];
export type Listed = TopLists['keys'][number];
export type KeyStatus = Status['keys'][number];
export type KeyState = KeyStatus['state'];
export type KeyType = KeyDefinition['type'];
export type Mode = KeyDefinition['mode'];

/** One mistake or warning: the field as a dotted path, such as `allowFrom[0].address`, and a sentence. */
export interface Finding {
  readonly field: string;
  readonly message: string;
}
