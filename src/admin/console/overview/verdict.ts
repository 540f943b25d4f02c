/**
 * What the refusals look like: somebody who tries things out, or a client that is set up wrongly; and what speaks for it. It is a guess
 * from counts, and says so by giving its reasons.
 */
import type { Listed, Summary } from '../api/types.ts';
import type { Filter } from './view.ts';

export type FindingKind = 'attack' | 'client';

export interface Finding {
  readonly kind: FindingKind;
  readonly title: string;
  readonly why: string;
  /** What to look at. */
  readonly filter: Filter;
  readonly since: string;
}

/** Shown with credentials that no key has. */
const GUESSES: ReadonlySet<string> = new Set(['unknown', 'invalid_client', 'missing_credential']);
/** Refused before anybody was recognised: what those get who look for something. */
const SEARCHES: ReadonlySet<string> = new Set(['no_route', 'ambiguous_path', 'malformed_request']);

/** From one address: fewer, or slower ones, may be a client that tries again. */
const MANY = 10;
const FAST_A_MINUTE = 5;
/** From all addresses together. */
const MANY_IN_ALL = 50;
const FEW_OF_A_KEY = 5;
const SHOWN = 5;

/** The gravest first. `nameOf`: reasons as people read them. */
export function findingsIn(summary: Summary, nameOf: (reason: string) => string): readonly Finding[] {
  const { addresses, keys, reasons } = summary.top.enforce;
  const fromAddresses = addresses.flatMap((address) => findingOfAddress(address, nameOf) ?? []);
  const spread = fromAddresses.some(({ kind }) => kind === 'attack') ? [] : spreadGuesses(reasons, addresses);
  const ofKeys = keys.flatMap((key) => (key.value === '' ? [] : (findingOfKey(key, summary, nameOf) ?? [])));
  const found = [...fromAddresses, ...spread, ...ofKeys];
  const grave = found.filter(({ kind }) => kind === 'attack');
  return [...grave, ...found.filter(({ kind }) => kind === 'client')].slice(0, SHOWN);
}

function findingOfAddress(address: Listed, nameOf: (reason: string) => string): Finding | null {
  const { value, count, mainReason, firstSeen } = address;
  if (mainReason === null || count < MANY) return null;
  const pace = paceOf(address);
  const about = { filter: { address: value }, since: firstSeen };
  const counted = `${shown(count)} refusals, most of them ${nameOf(mainReason)}`;
  if (SEARCHES.has(mainReason) && pace >= FAST_A_MINUTE)
    return {
      kind: 'attack',
      title: `${value} looks for paths`,
      why: `One address, ${counted}, ${paceText(pace)}.`,
      ...about,
    };
  if (!GUESSES.has(mainReason)) return null;
  if (pace >= FAST_A_MINUTE)
    return {
      kind: 'attack',
      title: `${value} tries out credentials`,
      why: `One address, ${counted}, ${paceText(pace)}, and no key of yours.`,
      ...about,
    };
  return {
    kind: 'client',
    title: `A client at ${value} has no valid secret`,
    why: `One address, ${counted}, but slowly: ${paceText(pace)}. A forgotten client or an old secret.`,
    ...about,
  };
}

/** Many addresses, none of which stands out. */
function spreadGuesses(reasons: readonly Listed[], addresses: readonly Listed[]): Finding[] {
  const guesses = reasons.find(({ value }) => value === 'unknown');
  const most = addresses.filter(({ mainReason }) => mainReason !== null && GUESSES.has(mainReason))[0]?.count ?? 0;
  if (guesses === undefined || guesses.count < MANY_IN_ALL || most * 2 > guesses.count) return [];
  if (paceOf(guesses) < FAST_A_MINUTE) return [];
  return [
    {
      kind: 'attack',
      title: 'Many addresses try out credentials',
      why: `${shown(guesses.count)} unknown credentials, ${paceText(paceOf(guesses))}, none of the addresses with more than half of them.`,
      filter: { reason: 'unknown' },
      since: guesses.firstSeen,
    },
  ];
}

function findingOfKey(key: Listed, summary: Summary, nameOf: (reason: string) => string): Finding | null {
  const { value, count, mainReason, firstSeen } = key;
  if (count < FEW_OF_A_KEY) return null;
  const all = summary.requests.byKey[value] ?? count;
  const share = `${shown(count)} of its ${shown(Math.max(all, count))} requests`;
  const about = { filter: { key: value }, since: firstSeen };
  if (mainReason === null) {
    const severalReasons = `${share} were refused, ${paceText(paceOf(key))}, and no reason has more than half of them`;
    // A client whose requests mostly pass does its work; somebody who tries things out is mostly refused.
    return count >= MANY && paceOf(key) >= FAST_A_MINUTE && 2 * count > all
      ? {
          kind: 'attack',
          title: `The key ${value} is refused for several reasons`,
          why: `${severalReasons}: somebody may try out what a key can do.`,
          ...about,
        }
      : {
          kind: 'client',
          title: `Clients with the key ${value} break several of its rules`,
          why: `One key, but ${severalReasons}: several clients, or one that is set up wrongly in more than one way.`,
          ...about,
        };
  }
  return {
    kind: 'client',
    title: `A client with the key ${value} is set up wrongly`,
    why: `One key, one reason${evennessOf(value, summary)}: ${share} were refused, most of them ${nameOf(mainReason)}, ${paceText(paceOf(key))}. ${HINTS[mainReason] ?? ''}`.trim(),
    ...about,
  };
}

/** Where to look. */
const HINTS: Readonly<Record<string, string>> = {
  ip_not_allowed: 'It calls from an address that the key does not allow.',
  address_denied: 'It calls from an address that is denied.',
  event_not_allowed: 'It sends events that the key does not allow.',
  rate_limited: 'It sends more than the limit of the key.',
  expired: 'The key, or the secret that it shows, has expired.',
  disabled: 'The key is disabled.',
  origin_not_allowed: 'It runs on pages of an origin that the key does not allow.',
  browser_not_allowed: 'It runs in a web page, and the key is not for web pages.',
  method_not_allowed: 'It uses a method that the key does not allow.',
  route_not_allowed: 'It uses a route that the key does not allow.',
};

/** Whether it came in most of the steps between the first and the last; of few steps nothing can be said. */
function evennessOf(key: string, { minutes }: Summary): string {
  const counts = minutes.map(({ enforce }) => enforce.byKey[key] ?? 0);
  const between = counts.slice(
    counts.findIndex((count) => count > 0),
    counts.findLastIndex((count) => count > 0) + 1,
  );
  if (between.length < 3) return '';
  return between.filter((count) => count > 0).length * 2 > between.length ? ', steadily' : ', not steadily';
}

/** Refusals in a minute, over the time in which they came; less than a minute counts as one. */
function paceOf({ count, firstSeen, lastSeen }: Listed): number {
  return count / Math.max(1, (Date.parse(lastSeen) - Date.parse(firstSeen)) / 60_000);
}

function paceText(pace: number): string {
  if (pace >= 1) return `about ${shown(Math.round(pace))} a minute`;
  return `about ${shown(Math.max(1, Math.round(pace * 60)))} an hour`;
}

const numbers = new Intl.NumberFormat('en');
const shown = (count: number): string => numbers.format(count);
