/**
 * What is kept of a client's connection from one request to the next: little, since it may stay idle for long, and there may be
 * very many. Of bodies, answers and keys nothing is kept.
 */
import type { Socket } from 'node:net';
import type { Facts } from '../policy/facts.ts';
import type { HeaderSection } from '../policy/header-facts.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import type { Exchange } from './exchange.ts';
import { NOWHERE, type Passage, type Place } from './passage.ts';

export interface Connection {
  /** The latest exchange, until it is over. */
  open: Exchange | null;
  /** What the latest request said in its header section, which the next one mostly repeats. */
  section: HeaderSection | null;
  /** Where the latest request went. */
  visit: Visit | null;
}

/** Where a request went. Holds no keys: it may be remembered for long after they were replaced. */
export interface Visit extends Place {
  readonly target: string;
  readonly method: string;
  readonly host: string | undefined;
  readonly configuration: Configuration;
}

/** What of a ruleset decides where a request goes. Made anew with each configuration, and kept when keys change. */
type Configuration = Pick<Ruleset, 'pathQuirks' | 'apis'>;

/** Longer ones are not remembered, in bytes: an ordinary request has a third of it. */
const MAX_REMEMBERED = 6144;
/** What a short text costs beside its characters, in a list and as an object. */
const TEXT_OVERHEAD = 28;

/** A property, not a WeakMap: every request asks for it. */
const CONNECTION = Symbol('connection');

interface Marked {
  [CONNECTION]?: Connection;
}

export function connectionOf(socket: Socket): Connection {
  return ((socket as Marked)[CONNECTION] ??= { open: null, section: null, visit: null });
}

/** Where a request goes, if the one before it on its connection went there by the same configuration. */
export function placeOf(visit: Visit | null, now: Facts, rules: Ruleset): Place {
  if (visit === null || visit.target !== now.target || visit.method !== now.method) return NOWHERE;
  const { pathQuirks, apis } = visit.configuration;
  return visit.host === now.headers.host && pathQuirks === rules.pathQuirks && apis === rules.apis ? visit : NOWHERE;
}

/** Keeps of a request that is over what the next one on its connection may repeat. */
export function remember(connection: Connection, passage: Passage): void {
  const { facts, api, route, path, query } = passage;
  if (connection.section?.headers !== facts.headers) {
    const { rawHeaders, headers } = facts;
    connection.section = weightOf(rawHeaders) <= MAX_REMEMBERED ? { rawHeaders, headers } : null;
  }
  const { visit } = connection;
  // Whoever went to the same place again got it from here.
  if (visit?.api === api && visit?.route === route && visit?.path === path && visit?.query === query) return;
  const { target, headers } = facts;
  // The path and the query may be windows on the target.
  const weight = target.length + path.length + (route?.target.length ?? 0) + (headers.host?.length ?? 0);
  connection.visit = weight <= MAX_REMEMBERED ? visitOf(passage) : null;
}

/** Where a passage went, if it took a route. Postern's own endpoints are not routes, and an ambiguous path is judged anew. */
export function visitOf({ facts, rules, path, isAmbiguous, query, api, route, endpoint }: Passage): Visit | null {
  if (api === null || endpoint !== null || isAmbiguous) return null;
  const { target, method, headers } = facts;
  const configuration = { pathQuirks: rules.pathQuirks, apis: rules.apis };
  return { target, method, host: headers.host, configuration, path, query, api, route };
}

function weightOf(texts: readonly string[]): number {
  let weight = texts.length * TEXT_OVERHEAD;
  if (weight > MAX_REMEMBERED) return weight;
  for (const text of texts) weight += text.length;
  return weight;
}
