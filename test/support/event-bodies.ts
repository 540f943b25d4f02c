/**
 * Makes hostile and ordinary bodies for the event filter from a tape of choices: the same tape, the same body.
 * The choice 0 is always the plainest one and an exhausted tape reads as zeros, so that shorter tapes make simpler bodies.
 */
import { type EventSelector, firstMember, parseSelector } from '../../src/config/selector.ts';
import type { EventRule } from '../../src/event-filter/filter.ts';

export interface EventCase {
  readonly rule: EventRule;
  readonly body: Buffer;
}

const SELECTORS = [
  ['events[].name'],
  ['name'],
  ['[].event'],
  ['batch[].kind'],
  ['straße[].massiv'],
  ['payload.name'],
  ['resource[].spans[].name'],
  ['events[].data.name'],
  ['[].events[].name'],
  ['payload.events[].name'],
  ['batch[].event', '[].event', 'event'],
  ['name', 'events[].name'],
].map((texts) => texts.map((text) => parseSelector(text) as EventSelector));
/** Mostly every item carries an event. */
const KINDS = [null, null, null, { member: 'type', is: ['track'], pass: ['identify', 'page'] }];
const ALLOWED = ['login', 'a"b\\c', '頁面', '😀 ok', 'e\u0301', '\ud800x', ''];
const DISALLOWED = ['purchase', 'Login', 'login ', 'login\0', '\ufffdx', 'é', 'logi'];
const SPACES = ['', '', '', ' ', '\n', '\t\r\n ', '\f', '\u00a0'];
const SCALARS = [
  '1',
  'null',
  'true',
  'false',
  '-0',
  '1e400',
  '0.1E-7',
  '12345678901234567890',
  '""',
  '"\\ud83d\\ude00"',
];
const NOT_JSON = [
  '01',
  '+1',
  '1.',
  '.5',
  'NaN',
  "'a'",
  'undefined',
  '"\t"',
  '"\\x"',
  '"\\u12g4"',
  '[1,]',
  '{"a":1,}',
  '{a:1}',
  '',
];

/** Names that some reader takes for the member. */
const VARIANTS: readonly ((member: string) => string)[] = [
  (member) => member,
  (member) => member.toUpperCase(),
  (member) => member.replaceAll('s', '\u017f').replaceAll('k', '\u212a'),
  (member) => member.replaceAll('i', '\u0131'),
  (member) => member.replaceAll('i', '\u0130'),
  (member) => member.replaceAll('ß', '\u1e9e'),
  (member) => `${member}\0x`,
  (member) => `\u200b${member}`,
  (member) => `${member.slice(0, 2)}\ud800${member.slice(2)}`,
  (member) => `${member}\ufffd`,
  (member) => ` ${member} `,
  (member) => `${member.slice(0, 1)}\u0001${member.slice(1)}`,
];
/** Names that are others for every reader. */
const OTHERS = [
  'userId',
  'names',
  'nam',
  'n.ame',
  '',
  '__proto__',
  'constructor',
  'nаme',
  'properties',
  'na me',
  'event_',
];

export function eventCaseFrom(tape: Uint8Array): EventCase {
  const choose = chooser(tape);
  const selectors = choose.of(SELECTORS);
  const when = choose.of(KINDS);
  const rule: EventRule = {
    selectors,
    when,
    allowed: new Set(ALLOWED),
    onDisallowed: choose.upTo(4) === 3 ? 'reject' : 'remove',
    unnamed: choose.upTo(4) === 3 ? 'allow' : 'disallow',
  };
  const text = choose.upTo(20) === 19 ? value(choose, 3) : padded(choose, top(choose, rule));
  const body = Buffer.from(text);
  return { rule, body: choose.upTo(3) === 2 ? damaged(choose, body) : body };
}

interface Choose {
  /** 0 to n - 1. */
  readonly upTo: (n: number) => number;
  readonly of: <T>(choices: readonly T[]) => T;
}

function chooser(tape: Uint8Array): Choose {
  let at = 0;
  const upTo = (n: number): number => (tape[at++] ?? 0) % n;
  const of = <T>(choices: readonly T[]): T => {
    const chosen = choices[upTo(choices.length)];
    if (chosen === undefined) throw new RangeError('nothing to choose from');
    return chosen;
  };
  return { upTo, of };
}

/** A body for one of the selectors, rarely with what another one looks for. */
function top(choose: Choose, rule: EventRule): string {
  const selector = choose.of(rule.selectors);
  const rival = choose.upTo(30) === 29 ? firstMember(choose.of(rule.selectors)) : null;
  const { containers, way, member } = selector;
  const event = (): string => eventAt(choose, [...way, member], rule.when ?? null);
  if (containers.length === 0) return withRival(choose, rival, event());
  const items = (): string => array(choose, () => (choose.upTo(30) === 29 ? value(choose, 1) : event()));
  const at = (level: number): string => {
    const container = containers[level];
    if (container === undefined) throw new RangeError('past the innermost array');
    const inner = (): string => {
      if (level === containers.length - 1) return items();
      return container.holds === 'object' ? at(level + 1) : array(choose, () => at(level + 1));
    };
    return container.member === null ? inner() : objectWith(choose, container.member, inner);
  };
  return withRival(choose, rival, at(0));
}

const withRival = (choose: Choose, rival: string | null, body: string): string =>
  rival === null || !body.startsWith('{') || body === '{}'
    ? body
    : `${body.slice(0, -1)},${pair(choose, rival, value(choose, 1))}}`;

function eventAt(choose: Choose, [first = '', ...rest]: readonly string[], kinds: EventRule['when'] | null): string {
  const event = objectWith(choose, first, () => (rest.length > 0 ? eventAt(choose, rest, null) : name(choose)));
  if (kinds === null || kinds === undefined || event === '{}' || choose.upTo(20) === 19) return event;
  const kind = choose.of([...kinds.is, ...kinds.is, ...kinds.pass, 'Track', 'other']);
  const member = choose.upTo(40) === 39 ? choose.of(VARIANTS)(kinds.member) : kinds.member;
  const said = pair(choose, member, choose.upTo(30) === 29 ? value(choose, 1) : string(choose, kind));
  return choose.upTo(2) === 0 ? `{${said},${event.slice(1)}` : `${event.slice(0, -1)},${said}}`;
}

function name(choose: Choose): string {
  const kind = choose.upTo(16);
  if (kind === 15) return value(choose, 1);
  return string(choose, choose.of(kind < 9 ? ALLOWED : DISALLOWED));
}

/** An object in which a member mostly stands once, and sometimes is missing, repeated or in another spelling. */
function objectWith(choose: Choose, member: string, makeValue: () => string): string {
  const members = [pair(choose, choose.upTo(40) === 39 ? choose.of(VARIANTS)(member) : member, makeValue())];
  const surprise = choose.upTo(40);
  if (surprise === 39) members.pop();
  if (surprise === 38) members.push(pair(choose, member, makeValue()));
  if (surprise === 37) members.push(pair(choose, choose.of(VARIANTS)(member), makeValue()));
  for (let extra = choose.upTo(4); extra > 0; extra--) {
    const other = pair(choose, choose.of(OTHERS), lookAlike(choose, member));
    if (choose.upTo(2) === 1) members.unshift(other);
    else members.push(other);
  }
  return `{${members.join(',')}}`;
}

/** A value that holds, deeper down, what the selector would find if it looked there. */
function lookAlike(choose: Choose, member: string): string {
  if (choose.upTo(3) < 2) return value(choose, 1);
  return choose.of([`{"${member}":"purchase","${member}":1}`, `[{"${member}":"purchase"}]`, `"\\"${member}\\":"`]);
}

function value(choose: Choose, depth: number): string {
  const kind = choose.upTo(12);
  if (kind === 11) return choose.upTo(12) === 11 ? choose.of(NOT_JSON) : nest(choose, 55 + choose.upTo(16));
  if (kind === 10 && depth > 0) return array(choose, () => value(choose, depth - 1));
  if (kind === 9 && depth > 0) return `{${pair(choose, choose.of(OTHERS), value(choose, depth - 1))}}`;
  if (kind > 6) return string(choose, choose.of(OTHERS));
  return choose.of(SCALARS);
}

const nest = (choose: Choose, levels: number): string =>
  choose.upTo(2) === 0 ? '['.repeat(levels) + ']'.repeat(levels) : '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);

function array(choose: Choose, makeItem: () => string): string {
  const items = Array.from({ length: choose.upTo(6) }, () => padded(choose, makeItem()));
  return `[${items.length === 0 ? space(choose) : items.join(',')}]`;
}

function pair(choose: Choose, name: string, text: string): string {
  return `${padded(choose, string(choose, name))}:${padded(choose, text)}`;
}

function padded(choose: Choose, text: string): string {
  return choose.upTo(4) === 3 ? space(choose) + text + space(choose) : text;
}

/** White space, rarely of a kind that JSON does not have. */
function space(choose: Choose): string {
  return choose.of(SPACES.slice(0, choose.upTo(30) === 29 ? SPACES.length : -2));
}

/** A string token: as it is, or with some characters or all of them escaped. */
function string(choose: Choose, text: string): string {
  const style = choose.upTo(8);
  const token = JSON.stringify(text);
  if (style < 6) return token;
  const escape = (unit: string): string => {
    const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${choose.upTo(2) === 0 ? hex : hex.toUpperCase()}`;
  };
  const units = text.split('');
  return `"${units.map((unit) => (style === 7 || choose.upTo(2) === 1 ? escape(unit) : JSON.stringify(unit).slice(1, -1))).join('')}"`;
}

/** The body after one to three changes that know nothing of JSON. */
function damaged(choose: Choose, body: Buffer): Buffer {
  let bytes = [...body];
  for (let times = 1 + choose.upTo(3); times > 0; times--) {
    const at = (choose.upTo(256) * 256 + choose.upTo(256)) % (bytes.length + 1);
    const size = choose.upTo(9);
    const slice = bytes.slice(at, at + size);
    switch (choose.upTo(7)) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        bytes.splice(at, size);
        break;
      case 2:
        bytes.splice(at, 1, choose.upTo(256));
        break;
      case 3:
        bytes.splice(at, 0, choose.upTo(256));
        break;
      case 4:
        bytes.splice(at, 0, ...slice);
        break;
      case 5:
        bytes.splice(at, 0, ...Buffer.from(choose.of([',', '"', '\\', '{', '}', '[', ']', ':', '\0', 'null'])));
        break;
      default:
        bytes = [...choose.of([[0xef, 0xbb, 0xbf], [0xff, 0xfe], [0x20], [0x00]]), ...bytes];
    }
  }
  return Buffer.from(bytes);
}
