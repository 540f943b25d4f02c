/**
 * Everything that a request is judged by, as one immutable value: a request reads the current ruleset once and is never
 * judged by a mixture of an old and a new one. Built when the configuration or the keys change; decides nothing.
 */
import type { ApiName } from '../config/api-names.ts';
import type { FindMembers } from '../event-filter/member-value.ts';
import type { AddressRule } from '../keys/address-rule.ts';
import type { Mode, KeySnapshot } from '../keys/key.ts';
import type { PathQuirk } from '../lib/path-normalization.ts';
import type { NameReader } from '../lib/query.ts';
import type { RefusalForm } from '../refusal.ts';
import type { Router } from './route.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

export type { ApiName };

/** Where a caller's credential may stand. */
export type CredentialLocation =
  | { readonly kind: 'bearer' }
  | { readonly kind: 'basic-username' }
  | { readonly kind: 'header'; readonly name: string }
  | QueryLocation
  | BodyLocation;

/** A parameter of the query. */
export interface QueryLocation {
  readonly kind: 'query';
  readonly name: string;
  /** Whether some backend takes a parameter for this one. */
  readonly isName: NameReader;
}

/** A member of the body: of its top-level object, or deeper, by the path that is its name. */
export interface BodyLocation {
  readonly kind: 'body';
  readonly name: string;
  readonly find: FindMembers;
}

/** What the backend receives in one place of a credential: nothing, the caller's own, or a configured value. */
export type UpstreamAuthorization =
  { readonly kind: 'strip' } | { readonly kind: 'pass' } | { readonly kind: 'literal'; readonly value: string };

/** What the backend receives in each place where a caller's credential may stand. */
export interface UpstreamCredentials {
  /** In `Authorization`, where the caller sent the scheme Basic there. */
  readonly basic: UpstreamAuthorization;
  /** In `Authorization`, where the caller sent anything else there, or nothing. */
  readonly bearer: UpstreamAuthorization;
  /** In each place of `credential`, in its order. */
  readonly places: readonly UpstreamAuthorization[];
}

export interface CorsRules {
  /** Lower-case names. */
  readonly allowedHeaders: ReadonlySet<string>;
  readonly maxAgeSeconds: number;
  /** Whether pages whose origin a key names may send a visitor's cookies along. */
  readonly allowCredentials: boolean;
}

export interface ApiRules {
  readonly name: ApiName;
  /** Lower-case host names without port, or null: any. */
  readonly hosts: ReadonlySet<string> | null;
  /** From where the API may be used, and from where not, whatever the key. */
  readonly allowFrom: AddressRule;
  readonly denyFrom: AddressRule;
  readonly router: Router;
  readonly credential: readonly CredentialLocation[];
  /** Those of these locations that are header fields: their names, in lower case. */
  readonly credentialFields: readonly string[];
  /** Some of these locations are in the body. */
  readonly looksIntoBody: boolean;
  readonly authorization: UpstreamCredentials;
  readonly cors: CorsRules;
  /** How refusals are written for the API's clients. */
  readonly refusalForm: RefusalForm;
  readonly enforcement: Mode;
  /** What holds for a method and path that no route lists. */
  readonly unlisted: 'allow' | 'refuse';
  readonly maxBodyBytes: number;
  /** How long a client may take nothing of an answer. */
  readonly idleTimeoutMs: number;
  /** Some of its answers may be kept. */
  readonly caches: boolean;
  /** Where its access tokens are issued, folded; null: it has none. */
  readonly tokenPath: string | null;
  /** Access tokens are signed with a private key, whose public part everybody may have. */
  readonly publishesKeys: boolean;
}

/** Which API a request is for. */
export interface ApiChoice {
  /** `host`: the Host field as received. `path`: normalized. null: no API serves it, or two could. */
  readonly find: (host: string, path: string) => ApiRules | null;
  /** The API in report mode that an ambiguous path, as received, belongs to however it is read. null: it must not go on. */
  readonly findTolerant: (host: string, path: string) => ApiRules | null;
}

export interface Ruleset {
  /** Keys have been loaded. */
  readonly ready: boolean;
  readonly trustedProxies: TrustedProxies;
  /** From where nothing may be used. */
  readonly denyFrom: AddressRule;
  readonly pathQuirks: ReadonlySet<PathQuirk>;
  /** In the order of the configuration. Made anew with each configuration, and kept when keys change. */
  readonly apis: readonly ApiRules[];
  readonly choice: ApiChoice;
  /** The shortest of all, for whom no API was found. */
  readonly idleTimeoutMs: number;
  readonly keys: KeySnapshot;
}
