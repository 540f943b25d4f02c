/** Where a change of a key lets in what was kept out: a restriction that goes, or an address range that is as good as none. */
import type { KeyType } from '../api/types.ts';
import { TYPE_NAMES } from '../ui/type-names.ts';
import { FIELDS, type Draft, type FieldName } from './fields.ts';

type Typed = Draft & { readonly type: KeyType };

interface Restriction {
  readonly field: FieldName;
  readonly says: string;
  readonly goes: (before: Draft, after: Draft) => boolean;
}

const isListed = (value: 'all' | readonly string[]): boolean => value !== 'all';

/** A range that is as good as no list; in IPv6, 2000::/3 is every address that is in use. */
const holdsVeryMany = ({ locations }: Draft): boolean =>
  locations.some(({ address }) => /\/0*[0-7]$/.test(address.trim()));

const holdsEveryPath = ({ allowedRoutes }: Draft): boolean =>
  allowedRoutes !== 'all' && allowedRoutes.some((route) => route.trim().endsWith(' /**'));

const RESTRICTIONS: readonly Restriction[] = [
  {
    field: 'allowFrom',
    says: 'It can be used from anywhere.',
    goes: (before, after) => !before.anywhere && after.anywhere,
  },
  {
    field: 'allowFrom',
    says: 'A range of addresses ends in /7 or less: it holds every address, or very many.',
    goes: (before, after) => !before.anywhere && !after.anywhere && !holdsVeryMany(before) && holdsVeryMany(after),
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
    field: 'allowedRoutes',
    says: 'A route ends in /**: it holds every path.',
    goes: (before, after) => isListed(before.allowedRoutes) && !holdsEveryPath(before) && holdsEveryPath(after),
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
    field: 'allowedOrigins',
    says: 'The pages of every origin can use it.',
    goes: (before, after) => !before.anyOrigin && after.anyOrigin,
  },
  {
    field: 'accessToken',
    says: 'The secret itself is enough, without a token.',
    goes: (before, after) => before.accessToken === 'required' && after.accessToken !== 'required',
  },
  {
    field: 'expiresAt',
    says: 'It does not end any more.',
    goes: (before, after) => before.expires && !after.expires,
  },
  {
    field: 'mode',
    says: 'Requests that break its rules are passed on: report mode refuses nothing.',
    goes: (before, after) => before.mode === 'enforce' && after.mode === 'report',
  },
];

/** The types that do no more than another one. */
const WITHIN: Readonly<Record<KeyType, readonly KeyType[]>> = {
  'write-only': ['write-only'],
  'read-only': ['read-only'],
  'read-write': ['read-write', 'read-only', 'write-only'],
  metrics: ['metrics'],
};

/** What a change lets in, in sentences; none: nothing that was kept out. `has`: whether the key has a field at all. */
export const widening = (before: Typed, after: Typed, has: (name: FieldName) => boolean): string[] => [
  ...(WITHIN[before.type].includes(after.type) ? [] : [`Type: It is for more than ${TYPE_NAMES[before.type]}.`]),
  ...RESTRICTIONS.filter(({ field, goes }) => has(field) && goes(before, after)).map(
    ({ field, says }) => `${FIELDS[field].title}: ${says}`,
  ),
];
