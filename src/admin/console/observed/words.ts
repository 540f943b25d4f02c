/** Why nothing is suggested, and what is not good, as people read it. */
import { reasonTitle } from '../overview/names.ts';

const WHY_NOT: ReadonlyMap<string, string> = new Map([
  ['nothing_seen', 'nothing of it was seen'],
  ['truncated', 'there was more than could be kept'],
  ['unknown_address', 'the address of some requests could not be known'],
  ['unlisted_routes', 'some requests went to routes that the API does not list'],
  ['unreadable_events', 'some bodies could not be judged as those of a key limited to events'],
  ['forms', 'some requests were forms or held a _method'],
  ['origins_unknown', 'the pages that would be let in with it are not known'],
  ['not_expressible', 'what was seen cannot be written down'],
]);

export const whyNot = (why: string): string => WHY_NOT.get(why) ?? why;

const BACKEND = /^backend_(\d{3})$/;

/** The reason of a request that was not good. */
export function notGood(reason: string): string {
  const status = BACKEND.exec(reason)?.[1];
  if (status !== undefined) return `The backend answered ${status}`;
  return reason === 'client_gone' ? 'The client left' : reasonTitle(reason);
}
