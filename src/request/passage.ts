/**
 * What is known of a request on its way, and what each rung adds to it. The types go by stage: a rung that needs an API or a key
 * says so, and is given a passage that has one. Nothing here judges.
 */
import type { Envelope } from '../event-filter/envelope.ts';
import type { JudgedNames } from '../event-filter/noted-names.ts';
import type { BodyText } from '../policy/body-credential.ts';
import { resolveClientAddress, type ClientAddress } from '../policy/client-address.ts';
import type { Identity } from '../policy/credential.ts';
import type { Facts } from '../policy/facts.ts';
import type { RouteMatch } from '../policy/route.ts';
import type { ApiRules, Ruleset } from '../policy/ruleset.ts';
import type { Quota } from '../rate-store/rate-store.ts';
import type { Refusal } from '../refusal.ts';

/** What Postern answers itself instead of the backend. */
export type OwnEndpoint = 'preflight' | 'token' | 'key set';

/** Of a request's body: nobody asked for it yet, it goes on as it comes, or its bytes. */
export type Body = 'unread' | 'stream' | Buffer;

/** Called once, when the body is in the passage, or with the refusal that ended the reading. Not called when the client left. */
export type BodyRead = (stop: Refusal | null) => void;

/** A request on its way. Belongs to one request, which is judged to its end by the rules that it arrived with. */
export interface Passage {
  readonly facts: Facts;
  readonly rules: Ruleset;
  /** As matched and as forwarded, without the query; '' until the path rung. */
  path: string;
  /** The path can be read in more than one way, and goes on as it came: nothing may be concluded from it. */
  isAmbiguous: boolean;
  /** '' or `?...`, as received. */
  query: string;
  api: ApiRules | null;
  route: RouteMatch | null;
  /** Set when Postern answers by itself. */
  endpoint: OwnEndpoint | null;
  identity: Identity | null;
  client: ClientAddress | null;
  /** What the backend gets, as far as it is known. */
  body: Body;
  /** The JSON text of the body, without its content coding and what stands around it; null while nobody had to look into it. */
  bodyText: BodyText;
  /** What stands around that text in the body; null: nothing, or nobody looked. */
  envelope: Envelope | null;
  /** The credential in the body was taken out or replaced. */
  bodyHandedOver: boolean;
  /** Somebody looked through the whole of `bodyText` already. */
  lookedThrough: boolean;
  /** The body that goes on is not the one received. */
  bodyChanged: boolean;
  /** The body was judged as JSON without a content coding, and goes on as such. */
  bodyJudged: boolean;
  /** Its events were judged: nothing else of it may hold any. */
  eventsJudged: boolean;
  /** What the backend is told of a body whose sender did not say what it is, or called JSON a form; null: nothing. */
  typeOfUntyped: 'application/json' | 'application/octet-stream' | null;
  forwardedEvents: number;
  removedEvents: number;
  rejectedEvents: number;
  /** Names of events that were refused or are cut out: the first few, cut short. */
  refusedNames: readonly string[];
  /** The names of the events that were judged, if somebody asks for them. */
  eventNames: JudgedNames | null;
  /** What is left of the key's rate limit; null: it has none, or was not asked yet. */
  quota: Quota | null;
  /** In report mode: the refusal that enforcement would have answered with. */
  wouldReject: Refusal | null;
  /** In report mode: enforcement would have gone no further, whether with a refusal or an answer of its own. */
  isDecided: boolean;
  /** Reads the whole body into `body`, of at most `maxBytes`. */
  readBody(maxBytes: number, then: BodyRead): void;
  /** Takes room for so many more bytes of it, in whatever form, until the request is over; the refusal when there is none. */
  hold(bytes: number): Refusal | null;
}

/** Where a request goes. */
export type Place = Pick<Passage, 'path' | 'query' | 'api' | 'route'>;

export const NOWHERE: Place = { path: '', query: '', api: null, route: null };

/** Its API is known. */
export type Routed<P extends Passage = Passage> = P & { readonly api: ApiRules };

/** Its key is known. */
export type Identified<P extends Passage = Passage> = Routed<P> & { readonly identity: Identity };

export function isRouted<P extends Passage>(passage: P): passage is Routed<P> {
  return passage.api !== null;
}

export function isIdentified<P extends Passage>(passage: P): passage is Identified<P> {
  return passage.identity !== null && passage.api !== null;
}

/** It takes a route for which nobody needs a key. */
export function isPublic({ route }: Passage): boolean {
  return route !== null && route.route.isPublic;
}

/** The largest body that may come, in bytes: the route's limit, or else the API's. */
export const maxBodyBytesOf = ({ api, route }: Pick<Routed, 'api' | 'route'>): number =>
  route?.route.maxBodyBytes ?? api.maxBodyBytes;

/** The address is resolved once a request, also for the log line of a request that was refused before it mattered. */
export function clientOf(passage: Passage): ClientAddress {
  const { facts, rules } = passage;
  return (passage.client ??= resolveClientAddress(facts.peer, facts.headers.forwardedFor, rules.trustedProxies));
}
