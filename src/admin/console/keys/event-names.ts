/** The names of events that keys are limited to: what a form can offer. */
import type { KeyList } from '../api/types.ts';

export const eventNames = (list: Pick<KeyList, 'keys'> | null): string[] =>
  [
    ...new Set((list?.keys ?? []).flatMap(({ allowedEvents }) => (Array.isArray(allowedEvents) ? allowedEvents : []))),
  ].sort();
