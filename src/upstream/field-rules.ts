/**
 * The one table of header names: what each is to Postern, on the way to the backend and on the way back.
 * A name is judged once and remembered, in bounded memory; values are never looked at.
 */

import { foldFieldName } from '../lib/field-name.ts';

export interface FieldRule {
  /** Lower case. */
  readonly name: string;
  readonly folded: string;
  /** `authorization`: by policy. `body`: only while the body is as the client sent it. `coding`: only while it may be coded. */
  readonly toUpstream: 'pass' | 'drop' | 'authorization' | 'body' | 'coding';
  /** `cors`: unless Postern gives its own. `trailer`: only while trailers can follow. */
  readonly toClient: 'pass' | 'drop' | 'cors' | 'trailer';
  /** Whether `Connection` may declare it hop-by-hop (RFC 9110 7.6.1). */
  readonly mayBeNominated: boolean;
  /** Whether it may come after the content, on the way to the client. */
  readonly mayTrail: boolean;
}

/** RFC 9110 7.6.1, and the older ones that implementations still speak. Content-Length is framing: set anew. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Set by Postern or by the dispatcher, so never taken from the client in any spelling. */
const SET_BY_POSTERN: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-request-id',
]);

/** What some backends believe about path, address or method, against what was judged here. */
const NEVER_FORWARDED: ReadonlySet<string> = new Set([
  'x-original-url',
  'x-rewrite-url',
  'x-forwarded-uri',
  'x-forwarded-prefix',
  'forwarded',
  'x-real-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'trailer',
  'expect',
  // CGI hands it to the backend's own HTTP client as its proxy ("httpoxy").
  'proxy',
]);

/** Postern judges by these: the genuine field passes, a look-alike that a backend would read in its place does not. */
const JUDGED: ReadonlySet<string> = new Set([
  'authorization',
  'content-type',
  'content-encoding',
  'origin',
  'sec-fetch-site',
  'cache-control',
  'access-control-request-method',
  'access-control-request-headers',
]);

/** They describe the body as the client sent it (RFC 1864, RFC 3230, RFC 9530). */
const BOUND_TO_BODY: ReadonlySet<string> = new Set(['content-md5', 'digest', 'content-digest', 'repr-digest']);

/** End-to-end by nature: a sender that names one in `Connection` is mistaken or means to change what was judged. */
const NEVER_NOMINATED: ReadonlySet<string> = new Set(['cookie', 'set-cookie', 'vary', 'www-authenticate', 'date']);

/** Framing, routing, authentication, control data and content format: of no use or harmful once the content is read. */
const NEVER_TRAILING: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'cache-control',
  'expires',
  'age',
  'date',
  'vary',
  'location',
  'retry-after',
  'authorization',
  'www-authenticate',
  'set-cookie',
]);

const MAX_REMEMBERED = 2_048;
const MAX_REMEMBERED_LENGTH = 64;

const remembered = new Map<string, FieldRule>();

/** The rule for a field name, in whatever case it came. */
export function ruleOf(name: string): FieldRule {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const rule = judge(name.toLowerCase());
  if (name.length <= MAX_REMEMBERED_LENGTH) {
    // Invented names can flush what is remembered, never make it grow; the usual ones are back with the next request.
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(name, rule);
  }
  return rule;
}

function judge(name: string): FieldRule {
  const folded = foldFieldName(name);
  const back = toClient(name, folded);
  return {
    name,
    folded,
    toUpstream: toUpstream(name, folded),
    toClient: back,
    mayBeNominated: !JUDGED.has(folded) && !NEVER_NOMINATED.has(folded) && !folded.startsWith('content-'),
    mayTrail: back === 'pass' && !NEVER_TRAILING.has(folded),
  };
}

function toUpstream(name: string, folded: string): FieldRule['toUpstream'] {
  if (folded.startsWith('postern-') || HOP_BY_HOP.has(folded)) return 'drop';
  if (SET_BY_POSTERN.has(folded) || NEVER_FORWARDED.has(folded)) return 'drop';
  if (name !== folded && (JUDGED.has(folded) || BOUND_TO_BODY.has(folded))) return 'drop';
  if (name === 'authorization') return 'authorization';
  if (name === 'content-encoding') return 'coding';
  return BOUND_TO_BODY.has(name) ? 'body' : 'pass';
}

function toClient(name: string, folded: string): FieldRule['toClient'] {
  if (name.startsWith('postern-') || HOP_BY_HOP.has(name)) return 'drop';
  if (name === 'trailer') return 'trailer';
  return folded.startsWith('access-control-') ? 'cors' : 'pass';
}
