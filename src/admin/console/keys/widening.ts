/** Where a change of a key lets in what was kept out: a restriction that goes, or an address range that is as good as none. */
import { FIELDS, type Draft, type FieldName } from './fields.ts';

interface Restriction {
  readonly field: FieldName;
  readonly says: string;
  readonly goes: (before: Draft, after: Draft) => boolean;
}

const isListed = (value: 'all' | readonly string[]): boolean => value !== 'all';

const holdsEverything = ({ locations }: Draft): boolean =>
  locations.some(({ address }) => address.trim().endsWith('/0'));

const RESTRICTIONS: readonly Restriction[] = [
  {
    field: 'allowFrom',
    says: 'It can be used from anywhere.',
    goes: (before, after) => !before.anywhere && after.anywhere,
  },
  {
    field: 'allowFrom',
    says: 'A range of addresses ends in /0: it holds every address.',
    goes: (before, after) => !before.anywhere && !after.anywhere && !holdsEverything(before) && holdsEverything(after),
  },
  {
    field: 'denyFrom',
    says: 'Addresses that were denied are not denied any more.',
    goes: (before, after) =>
      before.denied.some(({ address }) => !after.denied.some((other) => other.address.trim() === address)),
  },
  {
    field: 'allowedEvents',
    says: 'It can send every event.',
    goes: (before, after) => !before.allEvents && after.allEvents,
  },
  {
    field: 'allowedRoutes',
    says: 'It can use every route.',
    goes: (before, after) => isListed(before.allowedRoutes) && !isListed(after.allowedRoutes),
  },
  {
    field: 'apis',
    says: 'It is for every API but metrics.',
    goes: (before, after) => isListed(before.apis) && !isListed(after.apis),
  },
  {
    field: 'allowBrowsers',
    says: 'Web pages can use it.',
    goes: (before, after) => !before.allowBrowsers && after.allowBrowsers,
  },
  {
    field: 'mode',
    says: 'Requests that break its rules are passed on: report mode refuses nothing.',
    goes: (before, after) => before.mode === 'enforce' && after.mode === 'report',
  },
];

/** What a change lets in, in sentences; none: nothing that was kept out. `has`: whether the key has a field at all. */
export const widening = (before: Draft, after: Draft, has: (name: FieldName) => boolean): string[] =>
  RESTRICTIONS.filter(({ field, goes }) => has(field) && goes(before, after)).map(
    ({ field, says }) => `${FIELDS[field].title}: ${says}`,
  );
