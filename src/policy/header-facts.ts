/**
 * The header fields that the policy judges by, read in one pass over what Node received, which silently keeps one of repeated
 * fields. Reading refuses nothing: it counts repetitions, and says which field is malformed.
 */
import { nameProblem, valueProblem } from './field-form.ts';
import { bearerIn, type ShownCredential } from './shown-credential.ts';
import { USER_FIELDS } from './user-fields.ts';

/** Of a repeated field the first is kept and the repetition counted; lists keep all. */
export interface HeaderFacts {
  readonly fieldCount: number;
  /** What is wrong with the form of the first field that no server should take; null: nothing. */
  readonly malformed: string | null;
  readonly host: string | undefined;
  readonly hostCount: number;
  readonly authorization: string | undefined;
  readonly authorizationCount: number;
  /** What `authorization` shows if its scheme is Bearer. */
  readonly bearer: ShownCredential | null;
  readonly contentType: string | undefined;
  readonly contentTypeCount: number;
  readonly contentEncoding: string | undefined;
  readonly contentEncodingCount: number;
  readonly contentLength: string | undefined;
  readonly contentLengthCount: number;
  readonly transferEncoding: string | undefined;
  readonly transferEncodingCount: number;
  readonly origin: string | undefined;
  readonly originCount: number;
  readonly secFetchSite: string | undefined;
  /** `h2c`: that alone, which clients offer with every request and do not mind being denied (RFC 9110 7.8). */
  readonly upgrade: 'h2c' | 'other' | null;
  readonly expect: string | undefined;
  readonly expectCount: number;
  /** In order of arrival. */
  readonly forwardedFor: readonly string[];
  /** One list, of which no member is better than the others. */
  readonly forwardedProto: string | undefined;
  readonly requestId: string | undefined;
  /** In order of arrival. */
  readonly connection: readonly string[];
  readonly accessControlRequestMethod: string | undefined;
  readonly accessControlRequestHeaders: string | undefined;
  /** One list (RFC 9110 5.3). */
  readonly cacheControl: string | undefined;
  /** In order of arrival. */
  readonly cookies: readonly string[];
  /** Asks for a part of an answer, or for one under a condition (RFC 9110 13, 14). */
  readonly isConditional: boolean;
  /** Says which user it is for. */
  readonly namesUser: boolean;
  /** For the log alone. */
  readonly userAgent: string | undefined;
  readonly traceparent: string | undefined;
}

/** A header section that was read: names and values alternating, and what they say. */
export interface HeaderSection {
  readonly rawHeaders: readonly string[];
  readonly headers: HeaderFacts;
}

/**
 * Reads a header section. `before`: that of the request before on the same connection, which mostly holds the same fields in
 * the same places; what was found out about those is not found out again.
 */
export function readHeaders(rawHeaders: readonly string[], before: HeaderSection | null = null): HeaderFacts {
  if (before !== null && isSame(rawHeaders, before.rawHeaders)) return before.headers;
  const facts: MutableHeaderFacts = {
    fieldCount: rawHeaders.length / 2,
    malformed: null,
    host: undefined,
    hostCount: 0,
    authorization: undefined,
    authorizationCount: 0,
    bearer: null,
    contentType: undefined,
    contentTypeCount: 0,
    contentEncoding: undefined,
    contentEncodingCount: 0,
    contentLength: undefined,
    contentLengthCount: 0,
    transferEncoding: undefined,
    transferEncodingCount: 0,
    origin: undefined,
    originCount: 0,
    secFetchSite: undefined,
    upgrade: null,
    expect: undefined,
    expectCount: 0,
    forwardedFor: NONE,
    forwardedProto: undefined,
    requestId: undefined,
    connection: NONE,
    accessControlRequestMethod: undefined,
    accessControlRequestHeaders: undefined,
    cacheControl: undefined,
    cookies: NONE,
    isConditional: false,
    namesUser: false,
    userAgent: undefined,
    traceparent: undefined,
  };
  const wellFormed = before === null || before.headers.malformed !== null ? NONE : before.rawHeaders;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const value = rawHeaders[i + 1] as string;
    let read = READERS.get(name);
    if (read === undefined) {
      if (name !== wellFormed[i]) facts.malformed ??= nameProblem(name);
      read = READERS.get(name.toLowerCase());
    }
    if (value !== wellFormed[i + 1]) facts.malformed ??= valueProblem(value);
    if (read !== undefined) read(facts, value);
  }
  if (facts.authorization !== undefined) facts.bearer = readBearer(facts.authorization, before);
  return facts;
}

function isSame(texts: readonly string[], before: readonly string[]): boolean {
  return texts.length === before.length && texts.every((text, i) => text === before[i]);
}

/** Who shows the same again is recognised by the digest that was made before. */
function readBearer(authorization: string, before: HeaderSection | null): ShownCredential | null {
  return authorization === before?.headers.authorization ? before.headers.bearer : bearerIn(authorization);
}

type MutableHeaderFacts = { -readonly [K in keyof HeaderFacts]: HeaderFacts[K] };

const NONE: readonly string[] = [];

const withValue = (list: readonly string[], value: string): readonly string[] => {
  if (list === NONE) return [value];
  (list as string[]).push(value);
  return list;
};

type ReadField = (facts: MutableHeaderFacts, value: string) => void;

const BY_NAME: Record<string, ReadField> = {
  host: (facts, value) => {
    if (facts.hostCount++ === 0) facts.host = value;
  },
  authorization: (facts, value) => {
    if (facts.authorizationCount++ === 0) facts.authorization = value;
  },
  'content-type': (facts, value) => {
    if (facts.contentTypeCount++ === 0) facts.contentType = value;
  },
  'content-encoding': (facts, value) => {
    if (facts.contentEncodingCount++ === 0) facts.contentEncoding = value;
  },
  'content-length': (facts, value) => {
    if (facts.contentLengthCount++ === 0) facts.contentLength = value;
  },
  'transfer-encoding': (facts, value) => {
    if (facts.transferEncodingCount++ === 0) facts.transferEncoding = value;
  },
  origin: (facts, value) => {
    if (facts.originCount++ === 0) facts.origin = value;
  },
  expect: (facts, value) => {
    if (facts.expectCount++ === 0) facts.expect = value;
  },
  upgrade: (facts, value) => {
    facts.upgrade = facts.upgrade !== 'other' && /^h2c$/i.test(value) ? 'h2c' : 'other';
  },
  connection: (facts, value) => {
    facts.connection = withValue(facts.connection, value);
  },
  'x-forwarded-for': (facts, value) => {
    facts.forwardedFor = withValue(facts.forwardedFor, value);
  },
  'cache-control': (facts, value) => {
    facts.cacheControl = facts.cacheControl === undefined ? value : `${facts.cacheControl}, ${value}`;
  },
  cookie: (facts, value) => {
    facts.cookies = withValue(facts.cookies, value);
  },
  'sec-fetch-site': (facts, value) => void (facts.secFetchSite ??= value),
  // A proxy that adds a line to its client's leaves the client's in front: which of them is meant cannot be told.
  'x-forwarded-proto': (facts, value) => {
    facts.forwardedProto = facts.forwardedProto === undefined ? value : `${facts.forwardedProto}, ${value}`;
  },
  'user-agent': (facts, value) => void (facts.userAgent ??= value),
  // Two of them are none (W3C Trace Context 3.2).
  traceparent: (facts, value) => {
    facts.traceparent = facts.traceparent === undefined ? value : `${facts.traceparent}, ${value}`;
  },
  'x-request-id': (facts, value) => void (facts.requestId ??= value),
  'access-control-request-method': (facts, value) => void (facts.accessControlRequestMethod ??= value),
  'access-control-request-headers': (facts, value) => void (facts.accessControlRequestHeaders ??= value),
};

for (const name of ['range', 'if-range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'])
  BY_NAME[name] = (facts) => void (facts.isConditional = true);

for (const name of USER_FIELDS) BY_NAME[name] = (facts) => void (facts.namesUser = true);

const capitalized = (name: string): string => name.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());

/** By the two spellings that are in use, so that hardly a name has to be turned into lower case first. */
const READERS: ReadonlyMap<string, ReadField> = new Map(
  Object.entries(BY_NAME).flatMap(([name, read]) => [
    [name, read],
    [capitalized(name), read],
  ]),
);
