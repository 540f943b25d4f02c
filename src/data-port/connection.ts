/**
 * What is kept of a client's connection from one request to the next: little, since it may stay idle for long, and there may be
 * very many. Of bodies, answers and keys nothing is kept.
 */
import type { Socket } from 'node:net';
import type { HeaderSection } from '../policy/header-facts.ts';
import { visitOf, type Passage, type Visit } from '../policy/pipeline.ts';

export interface Connection {
  /** What the latest request said in its header section, which the next one mostly repeats. */
  section: HeaderSection | null;
  /** Where the latest request went. */
  visit: Visit | null;
}

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
  return ((socket as Marked)[CONNECTION] ??= { section: null, visit: null });
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

function weightOf(texts: readonly string[]): number {
  let weight = texts.length * TEXT_OVERHEAD;
  if (weight > MAX_REMEMBERED) return weight;
  for (const text of texts) weight += text.length;
  return weight;
}
