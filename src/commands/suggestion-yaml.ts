/**
 * Suggestions as YAML that can be pasted: each line with how often and when last it was seen. What clients made up is quoted so that
 * it is nothing but text, to a YAML parser and to a terminal.
 */
import { stringify } from 'yaml';
import { shapeOf } from '../lib/path-pattern.ts';

interface Because {
  readonly value: string;
  readonly requests: number;
  readonly lastSeen: string;
}

/** As the admin API tells it. */
export interface SuggestedKey {
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly because: Readonly<Record<string, readonly Because[]>>;
  readonly notSuggested: Readonly<Record<string, string>>;
  readonly tooLittle: string | null;
}

export interface UsedRoute {
  readonly method: string;
  readonly path: string;
  readonly listed: boolean;
  readonly good: number;
  readonly lastSeen: string;
}

/** Keys with the fields that were suggested, and a comment for each that was not. */
export const suggestionYaml = (keys: readonly SuggestedKey[]): string =>
  ['keys:', ...keys.flatMap((key) => keyLines(key).map((line) => `  ${line}`))].join('\n');

function keyLines({ id, fields, because, notSuggested, tooLittle }: SuggestedKey): string[] {
  const lines = Object.entries(fields).flatMap(([name, value]) => fieldLines(name, value, because[name] ?? []));
  const missing = Object.entries(notSuggested).map(([name, why]) => `# ${name}: not suggested, ${wordsFor(why)}`);
  const doubt = tooLittle === null ? [] : [`# ${tooLittle}`];
  return [`- id: ${scalar(id)}`, ...[...doubt, ...lines, ...missing].map((line) => `  ${line}`)];
}

function fieldLines(name: string, value: unknown, because: readonly Because[]): string[] {
  if (value === null) return [`${name}: null # keys of this type have no such field`];
  const words = name === 'rateLimit' ? counted : seen;
  if (!Array.isArray(value)) return [withComment(`${name}: ${scalar(value)}`, because.map(words).join('; '))];
  if (value.length === 0) return [`${name}: [] # none was seen`];
  const seenOf = new Map(because.map((one) => [one.value, one]));
  return [
    `${name}:`,
    ...value.map((item: unknown) => {
      const one = seenOf.get(String(item));
      return `  ${withComment(`- ${scalar(item)}`, one === undefined ? '' : often(one))}`;
    }),
  ];
}

const seen = (one: Because): string => `${scalar(one.value)}: ${often(one)}`;

/** Of requests, good or not: a limit counts them all. */
const counted = ({ value, requests, lastSeen }: Because): string => `${scalar(value)}: ${requests}, last ${lastSeen}`;

const often = ({ requests, lastSeen }: Pick<Because, 'requests' | 'lastSeen'>): string =>
  `${requests} good ${requests === 1 ? 'request' : 'requests'}, last ${lastSeen}`;

const withComment = (line: string, comment: string): string => (comment === '' ? line : `${line} # ${comment}`);

const WORDS: Readonly<Record<string, string>> = {
  nothing_seen: 'nothing of it was seen',
  truncated: 'there was more than could be kept',
  unknown_address: 'the address of some requests could not be known',
  unlisted_routes: 'some requests went to routes that the API does not list, which no key limited to events may use',
  unreadable_events: 'some bodies could not be judged as those of a key limited to events',
  forms: 'some requests were forms or held a _method, which only a key that may use every method and route may send',
  origins_unknown: 'the pages that would be let in with it are not known',
  not_expressible: 'what was seen cannot be written down',
};

const wordsFor = (why: string): string => new Map(Object.entries(WORDS)).get(why) ?? why;

/**
 * The routes of an API; those that another method or path stands for already are left out, and counted with it. `missed`: how often
 * a route found no room.
 */
export function routesYaml(routes: readonly UsedRoute[], missed: number): string {
  const usable = joined(routes.filter(({ method }) => METHODS.includes(method)));
  const gets = new Set(usable.flatMap(({ method, path }) => (method === 'GET' ? [shapeOf(path)] : [])));
  const lines = usable
    .filter(({ method, path }) => method !== 'HEAD' || !gets.has(shapeOf(path)))
    .toSorted((a, b) => order(a.path, b.path) || order(a.method, b.method))
    .map(({ method, path, listed, good, lastSeen }) => {
      const route = stringify({ method, path: withOwnNames(path) }, FLOW).trimEnd();
      const known = listed ? '; listed already, keep its other fields' : '';
      return `  - ${route} # ${often({ requests: good, lastSeen })}${known}`;
    });
  const doubt = missed === 0 ? [] : ['# Some routes are missing: there were more than could be kept.'];
  return [...doubt, 'routes:', ...lines].join('\n');
}

/** Two routes that fit the same paths, such as `/Orders/:id` and `/orders/:id`, are one: that which is listed, or used most. */
function joined(routes: readonly UsedRoute[]): UsedRoute[] {
  const byShape = new Map<string, UsedRoute>();
  for (const route of routes) {
    const shape = `${route.method} ${shapeOf(route.path)}`;
    const known = byShape.get(shape);
    byShape.set(shape, known === undefined ? route : together(known, route));
  }
  return [...byShape.values()];
}

function together(one: UsedRoute, other: UsedRoute): UsedRoute {
  const isOther = one.listed === other.listed ? other.good > one.good : other.listed;
  const lastSeen = one.lastSeen > other.lastSeen ? one.lastSeen : other.lastSeen;
  return { ...(isOther ? other : one), good: one.good + other.good, lastSeen };
}

const FLOW = { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true } as const;

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Of two parameters in one path, each needs its own name. */
function withOwnNames(path: string): string {
  let count = 0;
  return path.replace(/\/:id(?=\/|$)/g, () => (++count === 1 ? '/:id' : `/:id${count}`));
}

/** What could move a cursor, end a line or turn the text around is written as an escape, which quoted text can have. */
function scalar(value: unknown): string {
  if (typeof value !== 'string' || !ODD.test(value)) return stringify(value, FLOW).trimEnd();
  return JSON.stringify(value).replace(ODD_ALL, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

const ODD = /[\p{C}\p{Zl}\p{Zp}]/u;
const ODD_ALL = /[\p{C}\p{Zl}\p{Zp}]/gu;
